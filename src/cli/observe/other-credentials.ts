import { existsSync } from 'node:fs';
import { NO_CONNECTION_SETTINGS } from '../../cluster/credentials/connection-settings.ts';
import { readConnection, type ApiConnection } from '../../cluster/credentials/connection.ts';
import type { Environment } from '../../cni/environment.ts';
import { CniError } from '../../cni/error.ts';
import type { NodeFiles } from './node-files.ts';

/** Kubeconfigs of a kubelet, which may read its own Node: kubeadm, k3s and RKE2. */
const KUBELET_KUBECONFIGS = [
  '/etc/kubernetes/kubelet.conf',
  '/var/lib/kubelet/kubeconfig',
  '/var/lib/rancher/k3s/agent/kubelet.kubeconfig',
  '/var/lib/rancher/rke2/agent/kubelet.kubeconfig',
];

/**
 * Finds credentials other than the plugin's, to read what it may not or, if its token is refused, cannot: those that are
 * given, those of the pod in which this process runs, or those of the kubelet. They are used for reading only.
 *
 * @returns undefined if there are none that can be used
 */
export async function findOtherCredentials({
  environment,
  files,
  kubeconfigPath,
  server,
}: {
  readonly environment: Environment;
  readonly files: NodeFiles;
  readonly kubeconfigPath: string | undefined;
  /** The API server of the plugin: a kubelet may be configured with another address of it, but not with another cluster. */
  readonly server: string;
}): Promise<ApiConnection | undefined> {
  if (kubeconfigPath !== undefined) return readConnection({ ...NO_CONNECTION_SETTINGS, kubeconfigPath }, {});
  const { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = environment;
  const candidates = KUBELET_KUBECONFIGS.map((path) => files.at(path)).filter((path) => existsSync(path));
  const attempts = [
    ...(files.root === '/'
      ? []
      : [() => readConnection({ ...NO_CONNECTION_SETTINGS }, { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT })]),
    ...candidates.map((path) => () => readConnection({ ...NO_CONNECTION_SETTINGS, kubeconfigPath: path }, {})),
  ];
  for (const attempt of attempts) {
    try {
      const connection = await attempt();
      if (connection.server.isEncrypted || connection.server.text === server) return connection;
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
    }
  }
  return undefined;
}
