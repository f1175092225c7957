import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { attachPod, makeTestPod, type AttachedPod } from '../support/nodes/test-pod.ts';
import { member } from '../lab/member.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

// On the private /var/lib of scripts/in-private-namespace.sh.
const AGENT_FOLDER = '/var/lib/calico';
const MTU_FILE = `${AGENT_FOLDER}/mtu`;
const NODE_NAME_FILE = `${AGENT_FOLDER}/nodename`;

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
afterEach(() => rm(AGENT_FOLDER, { recursive: true, force: true }));
expectNoLeftovers(() => node);

describe('the MTU of both ends', () => {
  const isMtu = (why: string, mtuBytes: number, file: string | undefined, overrides: JsonObject = {}) =>
    it(`is ${mtuBytes}: ${why}`, async () => {
      if (file !== undefined) await writeAgentFile(MTU_FILE, file);
      await using pod = await attachPod(node, { config: node.netconf({ cniVersion: '1.1.0', ...overrides }) });
      expect(await mtusOf(pod)).toEqual([mtuBytes, mtuBytes]);
      expect(pod.added.answer).toMatchObject({ interfaces: [{ mtu: mtuBytes }, { mtu: mtuBytes }] });
    });
  isMtu('the kernel’s, where none is configured', 1500, undefined);
  isMtu('the agent’s', 1410, '1410\n');
  isMtu('the netconf’s before the agent’s', 1400, '1410', { mtu: 1400 });
  isMtu('the netconf’s, whatever the agent’s file has', 1400, 'rubbish', { mtu: 1400 });
  isMtu('0 in the netconf says nothing', 1410, '1410', { mtu: 0 });
  isMtu('the smallest', 68, undefined, { mtu: 68 });
  isMtu('the largest', 65535, undefined, { mtu: 65535 });

  const refused = (why: string, message: RegExp, file: string | undefined, overrides: JsonObject = {}) =>
    it(`is refused, and nothing left: ${why}`, async () => {
      if (file !== undefined) await writeAgentFile(MTU_FILE, file);
      await using pod = await makeTestPod(node);
      const answered = await node.run({ ...pod.call, verb: 'ADD', config: node.netconf(overrides) });
      expect(answered).toMatchObject({ exitCode: 1, answer: { code: 7, msg: expect.stringMatching(message) } });
    });
  refused('the agent’s file holds rubbish', /does not contain an MTU/, 'rubbish');
  refused('the agent’s file holds too much', /does not contain an MTU/, '65536');

  it('is waited for, if require_mtu_file is true: code 11 and nothing left until the agent has written it', async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, config: node.netconf({ cniVersion: '1.1.0', require_mtu_file: true }) };
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({
      exitCode: 1,
      answer: { code: 11, msg: expect.stringMatching(/has not written \S+mtu yet.*calico-node/) },
    });
    await writeAgentFile(MTU_FILE, '1410\n');
    const added = await node.run({ ...call, verb: 'ADD' });
    await node.run({ ...call, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0, answer: { interfaces: [{ mtu: 1410 }, { mtu: 1410 }] } });
  });
});

describe('the node’s name', () => {
  const attaches = (why: string, prepare: () => Promise<JsonObject>, within: readonly string[] = []) =>
    it(why, async () => {
      const { nodename: _, ...config } = node.netconf(await prepare());
      await using pod = await attachPod(node, { config, within });
      expect(pod.ipv4).toMatch(/^10\.71\./);
    });
  attaches('is the agent’s file’s', async () => {
    await writeAgentFile(NODE_NAME_FILE, `${node.name}\n`);
    return {};
  });
  attaches('is that of another file, where the netconf names one', async () => {
    await writeAgentFile(`${AGENT_FOLDER}/another`, node.name);
    return { nodename_file: `${AGENT_FOLDER}/another` };
  });
  attaches(
    'is the host’s in lower case, where the file may be missing',
    async () => {
      await node.cluster.createNode('some-machine', { podCIDRs: ['10.71.7.0/24'] });
      return { nodename_file_optional: true };
    },
    ['unshare', '--uts', 'sh', '-ec', 'hostname Some-Machine; exec "$@"', 'sh'],
  );
  attaches('does not matter for podCIDRs, where kubernetes.node_name is set', async () => {
    return { kubernetes: { kubeconfig: node.kubeconfigPath, node_name: node.name } };
  });

  it('is requested, if it is not configured', async () => {
    await using pod = await makeTestPod(node);
    const { nodename: _, ...config } = node.netconf();
    const answered = await node.run({ ...pod.call, verb: 'ADD', config });
    expect(answered).toMatchObject({ exitCode: 1, answer: { code: 7, msg: expect.stringContaining(NODE_NAME_FILE) } });
  });

  it('is named in the error, if the API has no such Node', async () => {
    await using pod = await makeTestPod(node);
    const answered = await node.run({ ...pod.call, verb: 'ADD', config: node.netconf({ nodename: 'no-such-node' }) });
    expect(answered).toMatchObject({
      exitCode: 1,
      answer: { code: 100, msg: expect.stringContaining('no node no-such-node') },
    });
  });

  it('is named in the error with the family, if it has no podCIDR of that family', async () => {
    await node.cluster.createNode('node-of-ipv4', { podCIDRs: ['10.79.0.0/24'] });
    await using pod = await makeTestPod(node);
    const config = node.netconf({ nodename: 'node-of-ipv4', ipam: { ranges: [[{ subnet: 'usePodCidrIPv6' }]] } });
    const answered = await node.run({ ...pod.call, verb: 'ADD', config });
    expect(answered).toMatchObject({
      exitCode: 1,
      answer: { code: 7, msg: expect.stringContaining('node node-of-ipv4 has no IPv6 podCIDR') },
    });
  });
});

describe('the pod’s routes', () => {
  const GATEWAY = '169.254.1.1';
  const isRouted = (why: string, routes: readonly string[], overrides: JsonObject) =>
    it(why, async () => {
      await using pod = await attachPod(node, { config: node.netconf(overrides) });
      const found = await pod.sandbox.ip('-4', 'route');
      const lines = found.map((route) =>
        [member(route, 'dst'), member(route, 'gateway')].filter(Boolean).join(' via '),
      );
      expect(lines.toSorted()).toEqual([GATEWAY, ...routes.map((route) => `${route} via ${GATEWAY}`)].toSorted());
    });
  const ROUTES = [{ dst: '10.96.0.0/12' }, { dst: '192.0.2.0/24' }];
  isRouted('are the default one, if none are given', ['default'], {});
  isRouted('are those of ipam alone', ['10.96.0.0/12', '192.0.2.0/24'], { ipam: { routes: ROUTES } });
  isRouted(
    'are those of ipam and the default one with include_default_routes',
    ['10.96.0.0/12', '192.0.2.0/24', 'default'],
    {
      ipam: { routes: ROUTES },
      include_default_routes: true,
    },
  );
  isRouted('are no more than one default, if ipam gives it too', ['default'], {
    ipam: { routes: [{ dst: '0.0.0.0/0' }] },
    include_default_routes: true,
  });
});

async function writeAgentFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function mtusOf({ sandbox, hostInterface }: AttachedPod): Promise<readonly unknown[]> {
  const links = [
    ...(await hostNamespace().ip('link', 'show', hostInterface)),
    ...(await sandbox.ip('link', 'show', 'eth0')),
  ];
  return links.map((link) => member(link, 'mtu'));
}
