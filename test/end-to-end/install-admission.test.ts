import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonList, isJsonObject, parseJsonObject } from '../../src/json/json.ts';
import { makeAccountFolder } from '../support/installer/account-folder.ts';
import type { ApiClient } from '../lab/api-server/api-client.ts';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';
import { installerAccount } from '../support/installer/install-cluster.ts';
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

  it('can change only the status of a pod, by RBAC alone', async () => {
    const path = '/api/v1/namespaces/default/pods/own';
    await expect(plugin.request('PATCH', path, annotations(ENDPOINT), MERGE)).rejects.toMatchObject({ status: 403 });
    await expect(plugin.delete(path)).rejects.toMatchObject({ status: 403 });
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
    using account = makeAccountFolder(await installerAccount(cluster));
    expect(account).toBeDefined();
    await using node = await makeInstallNode(cluster.server, 'node-3');
    await cluster.createNode('node-3', { podCIDRs: ['10.73.0.0/24'] });
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
      pluginPath: node.programs,
      executable: join(node.programs, 'podwire'),
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
