import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { hostInterfaceName } from '../lab/host-interface-name.ts';
import { memberText } from '../lab/member.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { EXECUTABLE, type EndedExecutable } from '../lab/run-executable.ts';
import { startPlugin } from '../lab/run-plugin.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { placePlugins } from '../lab/tools/place-plugins.ts';
import { until } from '../lab/until.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { makeTestPod, type TestPod } from '../support/nodes/test-pod.ts';
import { applyManifest, readTemplate } from '../support/servers/manifest.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

// Multus makes the calls. Its primary network is pinned to podwire's file; NetworkAttachmentDefinitions name the others.

const NETWORKS = 'k8s.v1.cni.cncf.io/networks';
const STATUS = 'k8s.v1.cni.cncf.io/network-status';

let node: ApiServerNode;
let plugins: string;
let configs: string;
beforeAll(async () => {
  node = await startApiServerNode();
  const tools = await ensureTools(['multus', 'host-local', 'portmap', 'bandwidth']);
  configs = join(node.folder, 'net.d');
  plugins = await placePlugins({ ...tools, podwire: EXECUTABLE }, join(node.folder, 'plugins-of-multus'));
  await mkdir(configs);
  await writeFile(join(configs, '10-podwire.conflist'), template());
  const administrator = { commonName: 'multus', organizations: ['system:masters'] };
  const kubeconfig = node.cluster.kubeconfigWithClientCertificate(administrator);
  await writeFile(join(configs, 'multus.kubeconfig'), JSON.stringify(kubeconfig));
  const { admin } = node.cluster;
  await applyManifest(admin, [DEFINITION], 'keep');
  const definitions = '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions';
  const served = () =>
    admin.get(definitions).then(
      () => true,
      () => false,
    );
  await until('network-attachment-definitions are served', served, { deadlineMs: 30_000 });
  for (const [name, config] of [
    ['ordinary', template()],
    ['again', template()],
  ]) {
    const object = { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition', metadata: { name } };
    await admin.create(definitions, { ...object, spec: { config } });
  }
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

/** The ordinary template for both families, as the installer renders it; only the folder of the leases is the node's of this test. */
function template(): string {
  const values: Readonly<Record<string, string>> = {
    __DATASTORE_TYPE__: 'kubernetes',
    __KUBERNETES_NODE_NAME__: node.name,
    __CNI_MTU__: '0',
    __CNI_SPEC_VERSION__: '1.0.0',
    __REQUIRE_MTU_FILE__: 'false',
    __IPAM_RANGES__: '[[{"subnet": "usePodCidr"}], [{"subnet": "usePodCidrIPv6"}]]',
    __LOG_LEVEL__: 'info',
    __LOG_FILE_PATH__: join(node.folder, 'cni.log'),
    __KUBECONFIG_FILEPATH__: node.kubeconfigPath,
    '"host-local",': `"host-local", "dataDir": "${node.dataDir}",`,
  };
  return Object.entries(values).reduce((text, [from, to]) => text.replace(from, to), readTemplate('base'));
}

/** How Multus is told its primary network, as its two deployments do. */
type Primary = () => JsonObject;
/** `--multus-master-cni-file-name` of the thin plugin: the content of podwire's file is part of Multus' own. */
const EMBEDDED: Primary = () => ({ delegates: [parseJsonObject(template())] });
/** The name of podwire's network. */
const BY_NAME: Primary = () => ({ clusterNetwork: 'k8s-pod-network' });
/** What the thick plugin writes: the path of podwire's file. */
const BY_PATH: Primary = () => ({ clusterNetwork: join(configs, '10-podwire.conflist') });

const call = (pod: TestPod, verb: string, primary: Primary = EMBEDDED): Promise<EndedExecutable> =>
  startPlugin({
    ...pod.call,
    verb,
    interfaceName: 'eth0',
    pluginPath: plugins,
    executable: join(plugins, 'multus'),
    config: {
      cniVersion: '1.0.0',
      name: 'multus-cni-network',
      type: 'multus',
      confDir: configs,
      cniDir: join(node.folder, 'multus'),
      binDir: plugins,
      kubeconfig: join(configs, 'multus.kubeconfig'),
      ...primary(),
    },
  }).ended;

/** CHECK of one network, with the result of ADD that Multus has stored. */
async function check(pod: TestPod, interfaceName: string): Promise<EndedExecutable> {
  const path = join(node.folder, `multus/results/k8s-pod-network-${pod.call.containerId}-${interfaceName}`);
  const prevResult = parseJsonObject(await readFile(path, 'utf8'))['result'] ?? null;
  const [own = null] = Object.values(parseJsonObject(template())['plugins'] ?? []);
  const config = { ...(isJsonObject(own) ? own : {}), cniVersion: '1.0.0', name: 'k8s-pod-network', prevResult };
  return startPlugin({ ...pod.call, verb: 'CHECK', interfaceName, config, pluginPath: plugins, executable: EXECUTABLE })
    .ended;
}

const ROUTE_KEYS = ['dst', 'gateway', 'dev', 'metric'];
const defaultRoutes = async (pod: TestPod, family: '-4' | '-6'): Promise<unknown> =>
  JSON.parse(JSON.stringify(await pod.sandbox.ip(family, 'route', 'show', 'default'), ROUTE_KEYS));

describe('a pod with two further networks from the ordinary template', () => {
  it('is attached to all of them, the first keeps the default routes, and CHECK and DEL agree', async () => {
    await using pod = await makeTestPod(node, { name: 'many', annotations: { [NETWORKS]: 'ordinary,again' } });
    const added = await call(pod, 'ADD');
    expect(added).toMatchObject({ exitCode: 0 });
    const IPV4 = '169.254.1.1';
    const IPV6 = 'fe80::ecee:eeff:feee:eeee';
    expect(await defaultRoutes(pod, '-4')).toEqual([
      { dst: 'default', gateway: IPV4, dev: 'eth0' },
      { dst: 'default', gateway: IPV4, dev: 'net1', metric: 1 },
      { dst: 'default', gateway: IPV4, dev: 'net2', metric: 2 },
    ]);
    expect(await defaultRoutes(pod, '-6')).toEqual([
      { dst: 'default', gateway: IPV6, dev: 'eth0', metric: 1024 },
      { dst: 'default', gateway: IPV6, dev: 'net1', metric: 1025 },
      { dst: 'default', gateway: IPV6, dev: 'net2', metric: 1026 },
    ]);
    const annotations = await pod.annotations();
    const status: unknown = JSON.parse(annotations[STATUS] ?? '[]');
    expect(status).toMatchObject([
      { name: 'k8s-pod-network', interface: 'eth0', ips: addressesIn(added.answer), default: true },
      { name: 'default/ordinary', interface: 'net1' },
      { name: 'default/again', interface: 'net2' },
    ]);
    // Only the first network is the pod's endpoint.
    expect(annotations['cni.projectcalico.org/podIP']).toBe(`${addressesIn(added.answer)[0]}/32`);

    // Multus checks only networks that its own configuration lists.
    for (const name of ['eth0', 'net1', 'net2']) expect(await check(pod, name)).toMatchObject({ exitCode: 0 });
    // A packet by the second network's own route, which a socket that is bound to its interface uses.
    await pod.sandbox.exec('ping', '-c', '1', '-W', '5', '-I', 'net1', '192.0.2.10');
    await pod.sandbox.ip('route', 'delete', 'default', 'dev', 'net2');
    expect(await check(pod, 'net2')).toMatchObject({
      answer: { details: expect.stringContaining('route to 0.0.0.0/0') },
    });
    expect(await call(pod, 'DEL')).toMatchObject({ exitCode: 0 });
    expect((await pod.sandbox.ip('link')).map((link) => memberText(link, 'ifname'))).toEqual(['lo']);
    const left = await hostNamespace().ip('link', 'show', 'type', 'veth');
    expect(left.map((link) => memberText(link, 'ifname'))).not.toContain(hostInterfaceName({ name: 'many' }));
  });
});

describe('a pod without further networks, whose primary network Multus finds by its path', () => {
  it('is attached; DEL releases link and lease, though Multus passes it almost no configuration, and a DEL with one clears the endpoint', async () => {
    await using pod = await makeTestPod(node, { name: 'single' });
    const before = await node.state();
    const added = await call(pod, 'ADD', BY_PATH);
    expect(added).toMatchObject({ exitCode: 0, answer: { interfaces: [{}, { name: 'eth0' }] } });
    expect(await check(pod, 'eth0')).toMatchObject({ exitCode: 0 });
    // What Multus has stored for DEL lacks the kubeconfig.
    expect(await call(pod, 'DEL', BY_PATH)).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('a later command clears'),
    });
    const { records, endpoints, ...clean } = await node.state();
    expect({ ...clean, records: records.filter((name) => !name.endsWith('.endpoint.json')) }).toEqual({
      ...clean,
      links: before.links,
      leases: before.leases,
      records: before.records,
    });
    expect(endpoints).toHaveLength(1);
    await using other = await makeTestPod(node, { name: 'other' });
    expect(await call(other, 'ADD', BY_NAME)).toMatchObject({ exitCode: 0 });
    expect(await call(other, 'DEL', BY_NAME)).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await pod.annotations())['cni.projectcalico.org/podIP']).toBe('');
  });
});

/** The part of the CustomResourceDefinition of Multus that matters here. */
const DEFINITION: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'network-attachment-definitions.k8s.cni.cncf.io' },
  spec: {
    group: 'k8s.cni.cncf.io',
    scope: 'Namespaced',
    names: {
      plural: 'network-attachment-definitions',
      singular: 'network-attachment-definition',
      kind: 'NetworkAttachmentDefinition',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { config: { type: 'string' } } } },
          },
        },
      },
    ],
  },
};
