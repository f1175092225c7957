import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { applyManifest, roleOf, serviceAccount } from '../support/servers/manifest.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { claimsIn, makeInstallNode, tokenIn, type InstallNode } from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { until } from '../lab/until.ts';
import { member } from '../lab/member.ts';
import { startPlugin } from '../lab/run-plugin.ts';

// Only the image of the init container `install-cni` is podwire's: its command, variables, mounts and account are the agent's.
const CONFIG = '10-calico.conflist';
const KUBECONFIG = 'calico-kubeconfig';
const ADDRESS = /^10\.71\.0\.\d+\/32$/;

/** The template of the agent's own manifests, with IPAM by podCIDR. */
const TEMPLATE = `{
  "name": "k8s-pod-network",
  "cniVersion": "0.3.1",
  "plugins": [
    {
      "type": "calico",
      "log_level": "info",
      "log_file_path": "LOG_FILE",
      "datastore_type": "kubernetes",
      "nodename": "__KUBERNETES_NODE_NAME__",
      "mtu": __CNI_MTU__,
      "ipam": {"type": "host-local", "dataDir": "LEASES", "ranges": [[{"subnet": "usePodCidr"}]]},
      "policy": {"type": "k8s"},
      "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"}
    },
    {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}},
    {"type": "bandwidth", "capabilities": {"bandwidth": true}}
  ]
}`;

let cluster: Cluster;
let account: AccountFolder;
let node: InstallNode;
beforeAll(async () => {
  cluster = await startInstallCluster();
  await applyManifest(cluster.admin, AGENT_ACCOUNTS, 'keep');
  account = makeAccountFolder(await installerAccount(cluster, 'calico-node'));
  node = await makeInstallNode(cluster.server, NODE);
  linkSync(join(node.image, 'podwire'), join(node.image, 'install'));
  rmSync(node.state, { recursive: true }); // the agent's DaemonSet mounts no such folder
  await until('the agent may issue tokens', async () => (await install()).exitCode === 0);
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

const install = () =>
  node.run({
    calledAs: 'install',
    args: [],
    environment: {
      CNI_NETWORK_CONFIG_FILE: undefined,
      CNI_CONF_NAME: CONFIG,
      CNI_NETWORK_CONFIG: TEMPLATE.replace('LOG_FILE', join(node.root, 'cni.log')).replace(
        'LEASES',
        join(node.root, 'leases'),
      ),
      CNI_MTU: '0',
      SLEEP: 'false',
      CNI_NET_DIR: node.configs, // the plugin runs in the test, where the node's folder is below another one
    },
  });

/** Attaches a pod, and returns its address. */
async function addAndDelete(name: string): Promise<string> {
  const { name: network, cniVersion, plugins } = parseJsonObject(await node.read(CONFIG));
  const list = plugins ?? null;
  const [own] = isJsonList(list) ? list.filter(isJsonObject) : [];
  const config = { ...own, name: network ?? null, cniVersion: cniVersion ?? null };
  const { uid } = await cluster.createPod('default', name, { nodeName: NODE });
  await using sandbox = await makeSandbox();
  const call = {
    config,
    containerId: name,
    interfaceName: 'eth0',
    sandboxPath: sandbox.path,
    pod: { namespace: 'default', name, uid },
    pluginPath: '/opt/cni/bin',
    executable: '/opt/cni/bin/podwire',
    within: node.within,
  };
  const run = (verb: string) => startPlugin({ ...call, verb }).ended;
  expect(await run('ADD')).toMatchObject({ exitCode: 0 });
  const pod = await cluster.admin.get(`/api/v1/namespaces/default/pods/${name}`);
  expect(await run('DEL')).toMatchObject({ exitCode: 0 });
  return String(member(pod, 'metadata', 'annotations', 'cni.projectcalico.org/podIP'));
}

it('what it writes has the names that the agent knows, and podwire in place of its plugin', async () => {
  expect((await node.names()).filter((name) => name.startsWith('etc/cni/net.d/'))).toEqual([
    `etc/cni/net.d/${CONFIG}`,
    `etc/cni/net.d/${KUBECONFIG}`,
  ]);
  expect(parseJsonObject(await node.read(CONFIG))).toMatchObject({
    name: 'k8s-pod-network',
    plugins: [
      { type: 'podwire', nodename: NODE, mtu: 0, kubernetes: { kubeconfig: join(node.configs, KUBECONFIG) } },
      { type: 'portmap' },
      { type: 'bandwidth' },
    ],
  });
  expect(claimsIn(tokenIn(await node.read(KUBECONFIG)))).toMatchObject({
    sub: 'system:serviceaccount:kube-system:calico-cni-plugin',
  });
});

it('a pod is attached and detached with what was installed, and the agent’s own roles', async () =>
  expect(await addAndDelete('one')).toMatch(ADDRESS));

// Its refresher writes the first form of the address, its installer the second.
it.each(['https://HOST', 'https://[HOST]'])('and with the kubeconfig as the agent rewrites it: %s', async (form) => {
  const url = new URL(cluster.server);
  const server = `${form.replace('HOST', url.hostname)}:${url.port}`;
  const { 'ca.crt': authority, token } = await installerAccount(cluster, 'calico-cni-plugin');
  writeFileSync(
    join(node.configs, KUBECONFIG),
    `# Kubeconfig file for Calico CNI plugin. Installed by calico/node.
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: ${server}
    certificate-authority-data: "${Buffer.from(authority).toString('base64')}"
users:
- name: calico
  user:
    token: ${token}
contexts:
- name: calico-context
  context:
    cluster: local
    user: calico
current-context: calico-context`,
  );
  expect(await addAndDelete(form.includes('[') ? 'three' : 'two')).toMatch(ADDRESS);
  expect(await readFile(join(node.configs, KUBECONFIG), 'utf8')).toContain(server);
});

it('when the agent’s pod starts again, programs and configuration are unchanged', async () => {
  const { exitCode, stderr } = await install();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`${KUBECONFIG}: written`) });
  expect(stderr.match(/unchanged: it is up to date/g)).toHaveLength(7);
});
/** The rules of the agent's own roles that this test needs. */
const AGENT_ACCOUNTS: readonly JsonObject[] = [
  serviceAccount('calico-node'),
  serviceAccount('calico-cni-plugin'),
  ...roleOf('calico-node', [
    { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['calico-cni-plugin'], verbs: ['create'] },
    { apiGroups: [''], resources: ['nodes', 'namespaces'], verbs: ['get'] },
  ]),
  ...roleOf('calico-cni-plugin', [
    { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  ]),
];
