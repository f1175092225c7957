import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { JsonObject } from '../../src/json/json.ts';
import { makeApiAccess, type ApiAccess } from '../support/servers/api-access.ts';
import { startTcpRelay, type TcpRelay } from '../support/servers/tcp-relay.ts';
import { makeTestPod } from '../support/nodes/test-pod.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import type { NodeCall } from '../support/nodes/test-node.ts';
import { useForAllTests, expectNoLeftovers } from '../support/suite/hooks.ts';

let node: ApiServerNode;
let access: ApiAccess;
// The same server, by an address that its certificate does not contain.
let elsewhere: TcpRelay;
useForAllTests(async () => (node = await startApiServerNode()));
useForAllTests(async () => (access = await makeApiAccess(node)));
useForAllTests(async () => (elsewhere = await startTcpRelay(access.server, { address: '127.0.0.2' })));
expectNoLeftovers(() => node);

const reached = (way: string, settings: () => Promise<Pick<NodeCall, 'config' | 'environment'>>) =>
  it(way, async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, ...(await settings()) };
    const added = await node.run({ ...call, verb: 'ADD' });
    const written = await pod.annotations();
    const removed = await node.run({ ...call, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    expect(written).toMatchObject({ 'cni.projectcalico.org/containerID': pod.call.containerId });
    expect(removed).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': '' });
  });

describe('a kubeconfig', () => {
  const byKubeconfig = (way: string, text: () => string) =>
    reached(way, async () => ({
      config: node.netconf({ kubernetes: { kubeconfig: await access.write('kubeconfig', text()) } }),
    }));
  const inline = () =>
    access.kubeconfig({ 'certificate-authority-data': access.authorityData }, { token: access.token });

  byKubeconfig('in JSON', () => JSON.stringify(inline()));
  byKubeconfig('in YAML', () => stringify(inline()));
  byKubeconfig('in YAML with comments, anchors and several contexts', () => byHand('here'));
  byKubeconfig('that names files beside it', () =>
    JSON.stringify(access.kubeconfig({ 'certificate-authority': 'ca.crt' }, { tokenFile: 'token' })),
  );
  byKubeconfig('that names files by their full path', () =>
    JSON.stringify(
      access.kubeconfig({ 'certificate-authority': access.authorityPath }, { tokenFile: access.tokenPath }),
    ),
  );
  byKubeconfig('with a client certificate in it', () =>
    JSON.stringify(access.kubeconfig({ 'certificate-authority-data': access.authorityData }, access.certificateUser)),
  );
  byKubeconfig('with a client certificate in files', () => {
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
    return stringify(access.kubeconfig({ 'certificate-authority': 'ca.crt' }, user));
  });
  byKubeconfig('with tls-server-name, where the certificate has another name than the URL', () => {
    const cluster = { server: elsewhere.url, 'certificate-authority': 'ca.crt', 'tls-server-name': 'localhost' };
    return JSON.stringify(access.kubeconfig(cluster, { token: access.token }));
  });
  byKubeconfig('that says in so many words that nothing is to be verified', () => {
    const cluster = { server: elsewhere.url, 'insecure-skip-tls-verify': true };
    return JSON.stringify(access.kubeconfig(cluster, { token: access.token }));
  });
});

describe('the network configuration alone', () => {
  const byPolicy = (way: string, settings: () => { readonly kubernetes?: JsonObject; readonly policy: JsonObject }) =>
    reached(way, async () => {
      const { kubernetes = {}, policy } = settings();
      const certificateAuthority = { k8s_certificate_authority: access.authorityPath };
      return { config: node.netconf({ kubernetes, policy: { type: 'k8s', ...certificateAuthority, ...policy } }) };
    });

  byPolicy('policy.k8s_api_root and a token', () => ({
    policy: { k8s_api_root: access.server, k8s_auth_token: access.token },
  }));
  byPolicy('an old policy.k8s_api_root, with the path of the API in it', () => ({
    policy: { k8s_api_root: `${access.server}/api/v1`, k8s_auth_token: access.token },
  }));
  byPolicy('kubernetes.k8s_api_root, and the client certificate of policy', () => ({
    kubernetes: { k8s_api_root: access.server },
    policy: { k8s_client_certificate: access.certificatePath, k8s_client_key: access.keyPath },
  }));
});

describe('the environment', () => {
  const byEnvironment = (way: string, environment: () => Promise<Readonly<Record<string, string>>>) =>
    reached(way, async () => ({ config: node.netconf({ kubernetes: {} }), environment: await environment() }));
  const endpoint = () => ({ K8S_API_ENDPOINT: access.server, K8S_CA_FILE: access.authorityPath });

  byEnvironment('K8S_API_ENDPOINT, K8S_CA_FILE, K8S_TOKEN', async () => ({ ...endpoint(), K8S_TOKEN: access.token }));
  byEnvironment('K8S_API_ENDPOINT, K8S_CA_FILE, K8S_CERT_FILE, K8S_KEY_FILE', async () => ({
    ...endpoint(),
    K8S_CERT_FILE: access.certificatePath,
    K8S_KEY_FILE: access.keyPath,
  }));
  byEnvironment('K8S_INSECURE_SKIP_TLS_VERIFY', async () => ({
    K8S_API_ENDPOINT: elsewhere.url,
    K8S_INSECURE_SKIP_TLS_VERIFY: 'true',
    K8S_TOKEN: access.token,
  }));
  byEnvironment('KUBECONFIG and K8S_CURRENT_CONTEXT', async () => ({
    KUBECONFIG: await access.write('kubeconfig', byHand('nowhere')),
    K8S_CURRENT_CONTEXT: 'here',
  }));
  reached('loses to the network configuration', async () => ({
    config: node.netconf(),
    environment: { KUBECONFIG: '/nowhere', DATASTORE_TYPE: 'etcdv3', KUBERNETES_SERVICE_HOST: '192.0.2.1' },
  }));
  reached('cannot name a proxy, or options of Node’s', async () => ({
    config: node.netconf(),
    environment: {
      HTTPS_PROXY: 'http://192.0.2.1:3128',
      https_proxy: 'http://192.0.2.1:3128',
      ALL_PROXY: 'http://192.0.2.1:3128',
      NODE_USE_ENV_PROXY: '1',
      NODE_OPTIONS: '--no-such-option',
    },
  }));
});

describe('the requests of one attachment', () => {
  it('are node and patch on one connection at ADD, and a patch at DEL, also if the endpoint is already cleared', async () => {
    await using relay = await startTcpRelay(access.server);
    const cluster = { server: relay.url, 'certificate-authority': 'ca.crt' };
    const kubeconfig = await access.write(
      'kubeconfig',
      JSON.stringify(access.kubeconfig(cluster, { token: access.token })),
    );
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, config: node.netconf({ kubernetes: { kubeconfig } }) };
    const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`;
    const readNode = `get /api/v1/nodes/${node.name}`;
    const patchPod = `patch ${path}/status`;

    const asked = async (verb: string) => {
      const mark = await node.cluster.auditMark();
      const openedBefore = relay.opened();
      expect(await node.run({ ...call, verb })).toMatchObject({ exitCode: 0 });
      const requests = await node.cluster.requestsBy(node.account.userName, mark);
      const lines = requests.map(({ verb: asWhat, uri }) => `${asWhat} ${uri}`);
      return { connections: relay.opened() - openedBefore, requests: lines };
    };
    expect(await asked('ADD')).toEqual({ connections: 1, requests: [readNode, patchPod] });
    expect(await asked('DEL')).toEqual({ connections: 1, requests: [patchPod] });
    expect(await asked('DEL')).toEqual({ connections: 1, requests: [patchPod] });
  });
});

function byHand(currentContext: string): string {
  return `# the node's access to the API
apiVersion: v1
kind: Config
current-context: ${currentContext}
clusters:
  - name: c
    cluster: { server: "${access.server}", certificate-authority: ca.crt }
  - name: elsewhere
    cluster: { server: "https://192.0.2.1:6443" }
users:
  - name: u
    user: &account
      tokenFile: token
  - name: other
    user: *account
contexts:
  - { name: nowhere, context: { cluster: elsewhere, user: u } }
  - { name: here, context: { cluster: c, user: other } }
`;
}
