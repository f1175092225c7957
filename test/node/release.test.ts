// Installs podwire from the files of a release, in an empty folder, as docs/install.md says: with kubectl, kustomize and helm.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thisArchitecture } from '../../build/architecture.ts';
import { packageVersion } from '../../build/third-party-notices.ts';
import { TEST_RELEASE } from '../../build/up-to-date.ts';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { member, memberText } from '../lab/member.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { type KubeletNode, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, phaseOf, webUrl } from '../support/kubelet/pods.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const DAEMON_SET = '/apis/apps/v1/namespaces/kube-system/daemonsets/podwire';
const PODS = '/api/v1/namespaces/kube-system/pods';
const version = await packageVersion(REPOSITORY);
const architecture = { x64: 'amd64', arm64: 'arm64' }[thisArchitecture()];

let tools: Record<'kubectl' | 'kustomize' | 'helm' | 'ctr', string>;
beforeAll(async () => {
  tools = await ensureTools(['kubectl', 'kustomize', 'helm', 'ctr']);
});

/** The address of the API server: there is no kube-proxy that would translate that of the Service. */
type Server = Readonly<Record<'host' | 'port', string>>;

const WAYS: Readonly<Record<string, (server: Server) => string>> = {
  kubectl: ({ host, port }) => `
    kubectl apply -f podwire-${version}-podcidr-routes.yaml
    kubectl -n kube-system set env daemonset/podwire KUBERNETES_SERVICE_HOST=${host} KUBERNETES_SERVICE_PORT=${port} IP_FAMILIES=ipv4,ipv6`,
  kustomize: ({ host, port }) => `
    tar -xzf podwire-${version}-kustomize.tar.gz
    cat >kustomization.yaml <<END
resources: [podwire-${version}-kustomize/overlays/podcidr-routes]
components: [podwire-${version}-kustomize/components/dual-stack]
patches:
  - target: {kind: DaemonSet, name: podwire}
    patch: |
      - {op: add, path: /spec/template/spec/initContainers/0/env/-, value: {name: KUBERNETES_SERVICE_HOST, value: "${host}"}}
      - {op: add, path: /spec/template/spec/initContainers/0/env/-, value: {name: KUBERNETES_SERVICE_PORT, value: "${port}"}}
      - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: KUBERNETES_SERVICE_HOST, value: "${host}"}}
      - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: KUBERNETES_SERVICE_PORT, value: "${port}"}}
END
    kubectl apply -f podwire-${version}-kustomize/rbac.yaml
    kustomize build . | kubectl apply -f -`,
  helm: ({ host, port }) => `
    helm install podwire podwire-${version}.tgz --namespace kube-system --set addressFamilies='{IPv4,IPv6}' \\
      --set apiServer.host=${host} --set apiServer.port=${port}`,
};

describe.each(Object.entries(WAYS))('from a release alone, with %s', (_, commands) => {
  let node: KubeletNode;
  let folder = '';
  let shell: (script: string) => Promise<string>;

  beforeAll(async () => {
    node = await startKubeletNode();
    folder = await mkdtemp(join(tmpdir(), 'podwire-empty-'));
    for (const name of await readdir(TEST_RELEASE)) await symlink(join(TEST_RELEASE, name), join(folder, name));
    const kubeconfig = join(folder, 'admin.kubeconfig');
    const administrator = { commonName: 'admin', organizations: ['system:masters'] };
    await writeFile(kubeconfig, JSON.stringify(node.cluster.kubeconfigWithClientCertificate(administrator)));
    const path = Object.values(tools)
      .map((tool) => join(tool, '..'))
      .join(':');
    const environment = { PATH: `${path}:${process.env['PATH']}`, KUBECONFIG: kubeconfig, HOME: folder };
    shell = async (script) =>
      (await promisify(execFile)('sh', ['-euc', script], { cwd: folder, env: environment })).stdout;
    // The laboratory has applied podwire's permissions, which a cluster does not have before.
    await shell(`kubectl delete -f ${join(REPOSITORY, 'cni-conf/rbac.yaml')}`);
  });
  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('the DaemonSet runs with the image that is imported, and a pod gets an address of each family', async () => {
    await node.runtime.importImage(join(folder, `podwire-${version}-image-${architecture}.tar`));
    const { hostname: host, port } = new URL(node.cluster.server);
    await shell(commands({ host, port }));
    const running = await runDaemonSet();
    expect(memberText(running, 'phase')).toBe('Running');
    expect(isReady(await node.pods.nodeIsReady())).toBe(true);
    const web = await node.pods.serve('web');
    const addresses = await web.addresses();
    expect(addresses).toEqual([expect.stringMatching(/^10\.71\.0\./), expect.stringMatching(/^fd71::/)]);
    expect(await (await fetch(webUrl(addresses[0] ?? ''))).text()).toBe('hello\n');
  });

  /** Creates the pod of the DaemonSet as the controller does, which is not there, and waits until it runs. */
  async function runDaemonSet(): Promise<JsonObject> {
    const { admin, certificateAuthorityPem } = node.cluster;
    await admin.create('/api/v1/namespaces/kube-system/configmaps', {
      metadata: { name: 'kube-root-ca.crt' },
      data: { 'ca.crt': certificateAuthorityPem },
    });
    const template = member(await admin.get(DAEMON_SET), 'spec', 'template');
    const spec = member(template, 'spec');
    await admin.create(PODS, {
      metadata: { name: 'podwire-node', labels: member(template, 'metadata', 'labels') },
      spec: { ...(isJsonObject(spec) ? spec : {}), nodeName: NODE },
    });
    const pod = await node.pods.at(`${PODS}/podwire-node`).until('runs', (state) => phaseOf(state) === 'Running');
    return isJsonObject(pod['status']) ? pod['status'] : {};
  }
});
