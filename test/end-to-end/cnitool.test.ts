import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { SUPPORTED_VERSIONS } from '../../src/cni/versions.ts';
import { makeCnitool, type Cnitool } from '../support/programs/cnitool.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { connectFrom, listenIn } from '../lab/api-server/tcp-peer.ts';
import { attachPod, makeTestPod, type TestPod } from '../support/nodes/test-pod.ts';
import { member } from '../lab/member.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { formatCniArgs } from '../lab/runtime-call.ts';
import { forwardOnNode } from '../support/kubelet/machine-settings.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

const NETWORK = 'k8s-pod-network';
const NODE = { ipv4: '192.0.2.10', ipv6: '2001:db8::10' } as const;
const HOST_PORT = 8080;
const CONTAINER_PORT = 80;
const DUAL_STACK = { ranges: [[{ subnet: 'usePodCidrIPv6' }]] };
// Plugins of a chain use the interfaces in the previous result, which results of 0.2.0 do not have.
const CHAINING = SUPPORTED_VERSIONS.filter((version) => !['0.1.0', '0.2.0'].includes(version));

let node: ApiServerNode;
let cnitool: Cnitool;
let forwarding: AsyncDisposable;
beforeAll(async () => {
  // portmap and bandwidth run these programs. If one is missing, the error says what to install.
  for (const program of ['iptables', 'nft', 'tc']) await hostNamespace().exec(program, '-V');
  [node, cnitool, forwarding] = [await startApiServerNode(), await makeCnitool(), await forwardOnNode()];
});
afterAll(async () => {
  await forwarding[Symbol.asyncDispose]();
  await cnitool[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

expectNoLeftovers(() => node);

describe.each(CHAINING)('a list of podwire, portmap, bandwidth and tuning, cniVersion %s', (cniVersion) => {
  it('attaches a pod by cnitool, writes its endpoint, and removes both again', async () => {
    await using pod = await makeTestPod(node);
    await configure(cniVersion, [
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
      { type: 'tuning', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' }, mtu: 1300 },
    ]);
    const environment = { CNI_ARGS: argumentsOf(pod), CAP_ARGS: JSON.stringify({ ...PORT_MAPPING, ...BANDWIDTH }) };
    await using attachments = new AsyncDisposableStack();
    attachments.defer(() => detach(pod.sandbox, environment));

    const added = await cnitool.run('add', NETWORK, pod.sandbox, environment);
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    const result = parseJsonObject(added.stdout);
    expect(result).toMatchObject({
      cniVersion,
      interfaces: [{ name: pod.hostInterface }, { name: 'eth0', sandbox: pod.sandbox.path }, {}],
    });
    const [ipv4, ipv6] = addressesIn(result);
    const annotations = await pod.annotations();
    expect(annotations['cni.projectcalico.org/podIPs']).toBe(`${ipv4}/32,${ipv6}/128`);

    const mtuBytes = async (links: Promise<readonly unknown[]>) => (await links).map((link) => member(link, 'mtu'));
    expect(await mtuBytes(pod.sandbox.ip('link', 'show', 'eth0'))).toEqual([1300]);
    expect(await mtuBytes(hostNamespace().ip('link', 'show', pod.hostInterface))).toEqual([1500]);
    expect(await pod.sandbox.readSysctl('net/ipv4/conf/eth0/arp_filter')).toBe('1');
    expect(await hostNamespace().exec('tc', 'qdisc', 'show', 'dev', pod.hostInterface)).toContain('tbf');

    expect(await cnitool.run('del', NETWORK, pod.sandbox, environment)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(await pod.annotations()).toMatchObject({
      'cni.projectcalico.org/podIPs': '',
      'cni.projectcalico.org/podIP': '',
    });
  });
});

describe.each(['iptables', 'nftables'])('a host port of portmap, backend %s', (backend) => {
  it('leads to the pod, from the node by loopback and address, and from another pod', async () => {
    await using server = await makeTestPod(node, { name: 'server' });
    await configure('1.0.0', [{ type: 'portmap', backend, capabilities: { portMappings: true }, snat: true }]);
    const environment = { CNI_ARGS: argumentsOf(server), CAP_ARGS: JSON.stringify(PORT_MAPPING) };
    await using attachments = new AsyncDisposableStack();
    attachments.defer(() => detach(server.sandbox, environment));
    expect(await cnitool.run('add', NETWORK, server.sandbox, environment)).toMatchObject({ exitCode: 0, stderr: '' });
    const host = hostNamespace();
    {
      await using servers = new AsyncDisposableStack();
      await using client = await attachPod(node, { name: 'client', config: node.netconf({ ipam: DUAL_STACK }) });
      servers.use(await listenIn(server.sandbox, CONTAINER_PORT));
      expect(await connectFrom(client.sandbox, NODE.ipv4, HOST_PORT)).toBe(client.ipv4);
      expect(await connectFrom(client.sandbox, NODE.ipv6, HOST_PORT)).toBe(client.ipv6);
      expect(await connectFrom(host, NODE.ipv4, HOST_PORT)).toBe(NODE.ipv4);
      expect(await connectFrom(host, '127.0.0.1', HOST_PORT)).toBe(NODE.ipv4);
    }
    expect(await cnitool.run('del', NETWORK, server.sandbox, environment)).toMatchObject({ exitCode: 0, stderr: '' });
    await expect(connectFrom(host, NODE.ipv4, HOST_PORT)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe.each(SUPPORTED_VERSIONS)('without a pod in CNI_ARGS, cniVersion %s', (cniVersion) => {
  it('a network is set up with one warning, and only the node is requested from the API', async () => {
    await using sandbox = await makeSandbox();
    await configure(cniVersion, []);
    await using attachments = new AsyncDisposableStack();
    attachments.defer(() => detach(sandbox));
    const mark = await node.cluster.auditMark();

    const added = await cnitool.run('add', NETWORK, sandbox);
    expect(added.exitCode).toBe(0);
    expect(parseJsonObject(added.stdout)).toMatchObject({ cniVersion });
    expect(added.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(/ WARNING CNI_ARGS names no pod/)]);
    for (const family of ['-4', '-6']) {
      expect(await sandbox.ip(family, 'address', 'show', 'dev', 'eth0', 'scope', 'global')).toHaveLength(1);
    }

    expect(await cnitool.run('del', NETWORK, sandbox)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const requests = await node.cluster.requestsBy(node.account.userName, mark);
    expect(requests.map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([`get /api/v1/nodes/${node.name}`]);
  });
});

it('a failure is reported by cnitool with podwire’s message, and leaves nothing', async () => {
  await using pod = await makeTestPod(node);
  await configure('1.0.0', []);
  const environment = { CNI_ARGS: argumentsOf({ ...pod, name: 'no-such-pod' }) };
  const added = await cnitool.run('add', NETWORK, pod.sandbox, environment);
  expect(added.exitCode).toBe(1);
  expect(added.stderr).toContain('the API server has no pod default/no-such-pod');
});

const PORT_MAPPING = { portMappings: [{ hostPort: HOST_PORT, containerPort: CONTAINER_PORT, protocol: 'tcp' }] };
const BANDWIDTH = {
  bandwidth: { ingressRate: 8_000_000, ingressBurst: 800_000, egressRate: 8_000_000, egressBurst: 800_000 },
};

async function configure(cniVersion: string, chained: readonly JsonObject[]): Promise<void> {
  const { cniVersion: _version, name: _name, ...podwire } = node.netconf({ ipam: DUAL_STACK });
  await cnitool.configure({ cniVersion, name: NETWORK, plugins: [podwire, ...chained] });
}

// Runs even if the test has failed, so that what it has left does not affect the next test.
async function detach(sandbox: Sandbox, environment?: Readonly<Record<string, string>>): Promise<void> {
  await cnitool.run('del', NETWORK, sandbox, environment);
}

function argumentsOf({ namespace, name, uid }: Pick<TestPod, 'namespace' | 'name' | 'uid'>): string {
  return formatCniArgs({ namespace, name, uid });
}
