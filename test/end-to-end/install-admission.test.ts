import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonList, isJsonObject, parseJsonObject } from '../../src/json/json.ts';
import { makeAccountFolder, type AccountFiles } from '../support/installer/account-folder.ts';
import { makeApiClient, type ApiClient } from '../lab/api-server/api-client.ts';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';
import { installerAccount, installerAccountOn } from '../support/installer/install-cluster.ts';
import { makeInstallNode } from '../support/installer/install-node.ts';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { until } from '../lab/until.ts';
import { member } from '../lab/member.ts';
import { startPlugin } from '../lab/run-plugin.ts';

const PREFIX = 'cni.projectcalico.org/';
const ENDPOINT = {
  [`${PREFIX}containerID`]: 'c1',
  [`${PREFIX}podIP`]: '10.71.0.5/32',
  [`${PREFIX}podIPs`]: '10.71.0.5/32,fd71::5/128',
};
const MERGE = 'application/strategic-merge-patch+json';
const pathOf = (name: string) => `/api/v1/namespaces/default/pods/${name}/status`;

let cluster: Cluster;
let plugin: ApiClient;
let unbound: ApiClient;
beforeAll(async () => {
  cluster = await startCluster();
  for (const name of ['node-1', 'node-2']) await cluster.createNode(name);
  const made = { annotations: { kept: 'yes' }, labels: { app: 'web' } };
  await cluster.createPod('default', 'own', { nodeName: 'node-1', ...made });
  await cluster.createPod('default', 'others', { nodeName: 'node-2', ...made });
  await cluster.createPod('default', 'unscheduled', made);
  plugin = (await cluster.createPluginAccount({ nodeName: 'node-1' })).makeClient();
  unbound = (await cluster.createPluginAccount()).makeClient();
  await applyManifest(cluster.admin, readManifest('cni-conf/base/admission-policy.yaml'), 'keep');
  // The policy comes into force a moment after it was created.
  const other = { metadata: { annotations: { [`${PREFIX}podIP`]: 'x' } } };
  await until('the policy is in force', async () => (await refusal(plugin, 'others', other)) !== 'allowed');
});
afterAll(async () => {
  plugin[Symbol.dispose]();
  unbound[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

const readPod = (name: string) => cluster.admin.get(`/api/v1/namespaces/default/pods/${name}`);

/** The API server's message; `allowed` if the request succeeds. */
async function refusal(client: ApiClient, pod: string, patch: object): Promise<string> {
  return client.request('PATCH', pathOf(pod), patch, MERGE).then(
    () => 'allowed',
    (error: unknown) => String(error),
  );
}

describe("the plugin's token, bound to node-1", () => {
  it('writes and clears the endpoint of a pod on its node', async () => {
    expect(await refusal(plugin, 'own', { metadata: { annotations: ENDPOINT } })).toBe('allowed');
    const cleared = { ...ENDPOINT, [`${PREFIX}podIP`]: '', [`${PREFIX}podIPs`]: '' };
    expect(await refusal(plugin, 'own', { metadata: { annotations: cleared } })).toBe('allowed');
    const pod = await cluster.admin.get('/api/v1/namespaces/default/pods/own');
    expect(member(pod, 'metadata', 'annotations')).toEqual({ kept: 'yes', ...cleared });
  });

  const refuses = (why: string, pod: string, patch: object, message: RegExp) =>
    it(`cannot ${why}`, async () => {
      const before = await cluster.admin.get(`/api/v1/namespaces/default/pods/${pod}`);
      expect(await refusal(plugin, pod, patch)).toMatch(message);
      expect(await cluster.admin.get(`/api/v1/namespaces/default/pods/${pod}`)).toEqual(before);
    });
  const annotations = (changed: object) => ({ metadata: { annotations: changed } });

  refuses("write the endpoint of another node's pod", 'others', annotations(ENDPOINT), /only pods of the node/);
  refuses(
    'write the endpoint of a pod that has no node',
    'unscheduled',
    annotations(ENDPOINT),
    /only pods of the node/,
  );
  refuses('write another annotation', 'own', annotations({ ...ENDPOINT, other: 'x' }), /only the annotations/);
  refuses(
    'write an annotation that lets a pod choose its address',
    'own',
    annotations({ [`${PREFIX}ipAddrs`]: '[]' }),
    /only the annotations/,
  );
  refuses('change another annotation', 'own', annotations({ kept: 'no' }), /only the annotations/);
  refuses('remove another annotation', 'own', annotations({ kept: null }), /only the annotations/);
  refuses('change the phase', 'own', { status: { phase: 'Failed' } }, /only annotations of a pod, not its status/);
  refuses(
    'change the addresses',
    'own',
    { status: { podIPs: [{ ip: '10.0.0.1' }], podIP: '10.0.0.1' } },
    /not its status/,
  );
  refuses('add a condition', 'own', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }, /not its status/);
  refuses('change a label', 'own', { metadata: { labels: { app: 'other' } } }, /not its status, labels/);
  refuses('add a finalizer', 'own', { metadata: { finalizers: ['example.org/hold'] } }, /finalizers/);
  refuses('set the name from which names are generated', 'own', { metadata: { generateName: 'x' } }, /owners or name/);

  it('does not change the owners of a pod', async () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'u1' };
    await refusal(plugin, 'own', { metadata: { ownerReferences: [owner] } });
    expect(member(await readPod('own'), 'metadata', 'ownerReferences')).toBeUndefined();
  });

  const WIPES: readonly [patch: unknown, type: string][] = [
    ...[[{}], [], null].flatMap((managedFields): [unknown, string][] => {
      const patch = { metadata: { managedFields, annotations: ENDPOINT } };
      return [
        [patch, MERGE],
        [patch, 'application/merge-patch+json'],
      ];
    }),
    [[{ op: 'remove', path: '/metadata/managedFields' }], 'application/json-patch+json'],
    [[{ op: 'replace', path: '/metadata/managedFields', value: [{}] }], 'application/json-patch+json'],
  ];
  it.each(WIPES)('does not wipe the managed fields of a pod with the patch %j (%s)', async (patch, type) => {
    const managers = async () => {
      const fields: unknown = member(await readPod('own'), 'metadata', 'managedFields');
      return Array.isArray(fields)
        ? fields.map((entry: unknown) => [member(entry, 'manager'), member(entry, 'fieldsV1')])
        : [];
    };
    await refusal(plugin, 'own', { metadata: { annotations: ENDPOINT } });
    const before = await managers();
    // The API server ignores the managed fields of a request to the status; no policy sees them.
    await plugin.request('PATCH', pathOf('own'), patch, type);
    expect(await managers()).toEqual(before);
    expect(before.length).toBe(2);
  });

  const VALUES: readonly [why: string, podIp: string, podIps: string, message: RegExp][] = [
    ['an address range', '0.0.0.0/0', '0.0.0.0/0', /only addresses/],
    ['a range beside an address', '10.71.0.5/32', '10.71.0.5/32,::/0', /only addresses/],
    ['a range of 2 addresses', '10.71.0.4/31', '10.71.0.4/31', /only addresses/],
    ['an IPv6 address with /32', 'fd71::5/32', 'fd71::5/32', /only addresses/],
    ['an address without a prefix length', '10.71.0.5', '10.71.0.5', /only addresses/],
    ['an IPv4-mapped address', '::ffff:10.71.0.5/128', '::ffff:10.71.0.5/128', /only addresses/],
    ['the unspecified address', '0.0.0.0/32', '0.0.0.0/32', /only addresses/],
    ['the loopback address', '127.0.0.1/32', '127.0.0.1/32', /only addresses/],
    ['a multicast address', '224.0.0.1/32', '224.0.0.1/32', /only addresses/],
    ['the broadcast address', '255.255.255.255/32', '255.255.255.255/32', /only addresses/],
    ['text', 'x', 'x', /only addresses/],
    ['an empty part', '10.71.0.5/32', '10.71.0.5/32,', /only addresses/],
    ['a blank', '10.71.0.5/32', '10.71.0.5/32, fd71::5/128', /only addresses/],
    ['one address twice', 'fd71::5/128', 'fd71::5/128,fd71:0::5/128', /only addresses/],
    ['three addresses', '10.71.0.5/32', '10.71.0.5/32,fd71::5/128,fd71::6/128', /only addresses/],
    ['another podIP than the first of podIPs', '10.71.0.6/32', '10.71.0.5/32', /only the first address/],
    ['a podIP without podIPs', '10.71.0.5/32', '', /only the first address/],
  ];
  for (const [why, podIp, podIps, message] of VALUES) {
    const written = { ...ENDPOINT, [`${PREFIX}podIP`]: podIp, [`${PREFIX}podIPs`]: podIps };
    refuses(`write ${why} as an endpoint`, 'own', annotations(written), message);
  }
  for (const id of ['a b', '../c', '-c', 'c'.repeat(201), '\n']) {
    const written = { ...ENDPOINT, [`${PREFIX}containerID`]: id };
    refuses(`write ${JSON.stringify(id.slice(0, 9))} as a container id`, 'own', annotations(written), /container id/);
  }

  it('writes an IPv6 address alone', async () => {
    const written = { ...ENDPOINT, [`${PREFIX}podIP`]: 'fd71::5/128', [`${PREFIX}podIPs`]: 'fd71::5/128' };
    expect(await refusal(plugin, 'own', annotations(written))).toBe('allowed');
  });

  it('can change only the status of a pod, by RBAC alone', async () => {
    const path = '/api/v1/namespaces/default/pods/own';
    await expect(plugin.request('PATCH', path, annotations(ENDPOINT), MERGE)).rejects.toMatchObject({ status: 403 });
    await expect(plugin.delete(path)).rejects.toMatchObject({ status: 403 });
  });
});

describe("the installer's token, of a pod on node-1", () => {
  const DAY_SECONDS = 86_400;
  let installer: ApiClient;
  let withoutNode: ApiClient;
  beforeAll(async () => {
    await applyManifest(cluster.admin, readManifest('cni-conf/rbac.yaml'), 'keep');
    const clientOf = ({ token, 'ca.crt': certificateAuthority }: AccountFiles) =>
      makeApiClient(cluster.server, { certificateAuthority, token });
    installer = clientOf(await installerAccountOn(cluster, 'node-1'));
    withoutNode = clientOf(await installerAccount(cluster));
    await until(
      'RBAC lets the installer create tokens',
      async () => (await request(installer, onNode('node-1'))) === 'allowed',
    );
    await until('the policy is in force', async () => (await request(installer, {})) !== 'allowed');
  });
  afterAll(() => {
    installer[Symbol.dispose]();
    withoutNode[Symbol.dispose]();
  });

  const onNode = (name: string, expirationSeconds = DAY_SECONDS) => ({
    expirationSeconds,
    boundObjectRef: { apiVersion: 'v1', kind: 'Node', name },
  });
  const request = (client: ApiClient, spec: object): Promise<string> =>
    client
      .create('/api/v1/namespaces/kube-system/serviceaccounts/podwire/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec,
      })
      .then(
        () => 'allowed',
        (error: unknown) => String(error),
      );

  it('creates a token of the plugin that is bound to node-1, for a day', async () => {
    expect(await request(installer, onNode('node-1'))).toBe('allowed');
  });

  const refuses = (why: string, spec: () => object, message: RegExp) =>
    it(`may not create one ${why}`, async () => {
      expect(await request(installer, spec())).toMatch(message);
    });
  refuses('that is bound to another node', () => onNode('node-2'), /bound to its own node/);
  refuses('that is bound to nothing', () => ({ expirationSeconds: 600 }), /bound to its own node/);
  refuses('that is bound to nothing, for a year', () => ({ expirationSeconds: 365 * DAY_SECONDS }), /own node/);
  refuses('for more than a day', () => onNode('node-1', DAY_SECONDS + 1), /expire within a day/);
  refuses(
    'that is bound to a Pod with the name of the node',
    () => ({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'node-1' } }),
    /bound to its own node/,
  );
  refuses(
    'that is bound to a Secret with the name of the node',
    () => ({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 'node-1' } }),
    /bound to its own node/,
  );

  it('may create none with a token that belongs to no node', async () => {
    expect(await request(withoutNode, onNode('node-1'))).toMatch(/does not belong to a pod on a node/);
  });

  it('does not limit others: an administrator creates tokens of the plugin for a year', async () => {
    expect(await request(cluster.admin, { expirationSeconds: 365 * DAY_SECONDS })).toBe('allowed');
  });
});

describe('other tokens', () => {
  it('a token without a node cannot change any pod', async () => {
    expect(await refusal(unbound, 'own', { metadata: { annotations: ENDPOINT } })).toMatch(/not bound to a Node/);
  });

  it('accounts other than the plugin’s are not restricted by the policy', async () => {
    expect(await refusal(cluster.admin, 'others', { metadata: { annotations: { other: 'x' } } })).toBe('allowed');
  });
});

describe('a node that the installer has equipped, with the policy in force', () => {
  it('attaches a pod and detaches it, with what was installed and nothing else', async () => {
    const roles = readManifest('cni-conf/rbac.yaml');
    await applyManifest(cluster.admin, roles, 'keep');
    await cluster.createNode('node-3', { podCIDRs: ['10.73.0.0/24'] });
    using account = makeAccountFolder(await installerAccountOn(cluster, 'node-3'));
    expect(account).toBeDefined();
    await using node = await makeInstallNode(cluster.server, 'node-3');
    const environment = { CNI_NET_DIR: node.configs, LOG_FILE_PATH: join(node.root, 'cni.log') };
    await until('the installer is allowed to', async () => (await node.run({ environment })).exitCode === 0);
    const { name, cniVersion, plugins } = parseJsonObject(await node.read('10-podwire.conflist'));
    const list = plugins ?? null;
    const own = isJsonList(list) ? (list[0] ?? null) : null;
    const config = { ...(isJsonObject(own) && own), name: name ?? null, cniVersion: cniVersion ?? null };
    const { uid } = await cluster.createPod('default', 'installed', { nodeName: 'node-3' });
    await using sandbox = await makeSandbox();
    const call = {
      config,
      containerId: 'c1',
      interfaceName: 'eth0',
      sandboxPath: sandbox.path,
      pod: { namespace: 'default', name: 'installed', uid },
      pluginPath: '/opt/cni/bin',
      executable: '/opt/cni/bin/podwire',
      within: node.within,
    };
    const run = (verb: string) => startPlugin({ ...call, verb }).ended;
    expect(await run('ADD')).toMatchObject({ exitCode: 0, answer: { ips: [{ address: '10.73.0.2/32' }] } });
    const annotations = async () =>
      member(await cluster.admin.get('/api/v1/namespaces/default/pods/installed'), 'metadata', 'annotations');
    expect(await annotations()).toMatchObject({ [`${PREFIX}podIP`]: '10.73.0.2/32' });
    expect(await run('DEL')).toMatchObject({ exitCode: 0 });
    expect(await annotations()).toMatchObject({ [`${PREFIX}podIP`]: '' });
  });
});
