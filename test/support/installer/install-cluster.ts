import { applyManifest, readManifest } from '../servers/manifest.ts';
import type { AccountFiles } from './account-folder.ts';
import { startCluster, type Cluster, type ClusterOptions } from '../../lab/api-server/kube-apiserver.ts';
import { PATCH_PODS_STATUS, untilAllowed } from '../../lab/api-server/access-review.ts';
import { member } from '../../lab/member.ts';

export const NODE = 'node-1';
const PLUGIN = 'system:serviceaccount:kube-system:podwire';
const INSTALLER = 'system:serviceaccount:kube-system:podwire-installer';

/** A real API server with one node, in which cni-conf/rbac.yaml is applied and in force. */
export async function startInstallCluster(options: ClusterOptions = {}): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startCluster(options));
  const { admin } = cluster;
  await applyManifest(admin, readManifest('cni-conf/rbac.yaml'), 'keep');
  await cluster.createNode(NODE, { podCIDRs: ['10.71.0.0/24', 'fd71::/64'] });
  const token = {
    verb: 'create',
    resource: 'serviceaccounts',
    subresource: 'token',
    namespace: 'kube-system',
    name: 'podwire',
  };
  await untilAllowed(admin, INSTALLER, token);
  await untilAllowed(admin, INSTALLER, { verb: 'get', resource: 'nodes' });
  await untilAllowed(admin, PLUGIN, PATCH_PODS_STATUS);
  started.move();
  return cluster;
}

/** What the kubelet gives the installer's pod, but bound to nothing. */
export async function installerAccount(cluster: Cluster, name = 'podwire-installer'): Promise<AccountFiles> {
  return requestAccount(cluster, name, {});
}

/** What the kubelet of a node gives the installer's pod, which this creates: a token that is bound to the pod. */
export async function installerAccountOn(cluster: Cluster, nodeName: string): Promise<AccountFiles> {
  const name = `podwire-${nodeName}`;
  const pod = await cluster.admin.create('/api/v1/namespaces/kube-system/pods', {
    metadata: { name },
    spec: { nodeName, serviceAccountName: 'podwire-installer', containers: [{ name: 'token', image: 'never-pulled' }] },
  });
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid: member(pod, 'metadata', 'uid') };
  return requestAccount(cluster, 'podwire-installer', { boundObjectRef });
}

async function requestAccount(
  { admin, certificateAuthorityPem }: Cluster,
  name: string,
  spec: object,
): Promise<AccountFiles> {
  const path = `/api/v1/namespaces/kube-system/serviceaccounts/${name}/token`;
  const answer = await admin.create(path, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const token: unknown = member(answer, 'status', 'token');
  return { token: String(token), 'ca.crt': certificateAuthorityPem, namespace: 'kube-system' };
}
