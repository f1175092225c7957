import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startLoopbackApi } from '../../test/lab/loopback-api/loopback-api.ts';
import type { UserClusterParameters } from './demo-parameters.ts';
import { startRelay } from './relay.ts';

/** The cluster of the demo's pods, as seen from the private namespace. */
export interface DemoCluster extends AsyncDisposable {
  /** The server, its nodes and pods, for a person. */
  readonly description: string;
  readonly kubeconfigPath: string;
  readonly nodeName: string;
  readonly podCidrNodeName: string;
  readonly podCidrs: readonly string[];
  readonly pods: readonly DemoPod[];
}

export interface DemoPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const NODE_NAME = 'demo-node';

/** Starts an API server on loopback with one node and two pods. */
export async function startOwnCluster(folder: string): Promise<DemoCluster> {
  // On a kernel without IPv6, the demo shows IPv4 only.
  const podCidrs = ['10.244.1.0/24', ...(existsSync('/proc/sys/net/ipv6') ? ['fd00:10:244:1::/64'] : [])];
  const pods = ['client', 'web'].map((name, index) => {
    const uid = `00000000-0000-4000-8000-00000000000${index + 1}`;
    return { namespace: 'demo', name, uid };
  });
  const api = await startLoopbackApi({
    token: 'an-example-token',
    nodes: [{ metadata: { name: NODE_NAME }, spec: { podCIDR: podCidrs[0], podCIDRs: podCidrs } }],
    pods: pods.map((pod) => ({ metadata: pod, spec: { nodeName: NODE_NAME, containers: [] } })),
  });
  const kubeconfigPath = join(folder, 'kubeconfig');
  api.writeKubeconfig(kubeconfigPath);
  return {
    description: `${api.url}: node ${NODE_NAME} (podCIDRs ${podCidrs.join(', ')}), pods ${pods.map(podName).join(' and ')}`,
    kubeconfigPath,
    nodeName: NODE_NAME,
    podCidrNodeName: NODE_NAME,
    podCidrs,
    pods,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** Starts a relay to the API server of the user's cluster. */
export async function connectUserCluster(folder: string, cluster: UserClusterParameters): Promise<DemoCluster> {
  const { nodeName, podCidrNodeName, podCidrs, pod, serverText } = cluster;
  const relay = await startRelay({ host: '127.0.0.1', port: 0 }, { path: cluster.socketPath });
  const server = `${cluster.scheme}://127.0.0.1:${relay.port}`;
  const kubeconfigPath = join(folder, 'kubeconfig');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'demo', cluster: { server: `${server}${cluster.basePath}`, ...cluster.kubeconfigCluster } }],
    users: [{ name: 'demo', user: cluster.kubeconfigUser }],
    contexts: [{ name: 'demo', context: { cluster: 'demo', user: 'demo' } }],
    'current-context': 'demo',
  };
  // The folder is on a tmpfs, which disappears with the namespace.
  await writeFile(kubeconfigPath, JSON.stringify(kubeconfig), { mode: 0o600 });
  return {
    description: `${serverText}, in here as ${server}: node ${podCidrNodeName} (podCIDRs ${podCidrs.join(', ')}), pod ${podName(pod)}`,
    kubeconfigPath,
    nodeName,
    podCidrNodeName,
    podCidrs,
    pods: [pod],
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** Formats a pod's name as `namespace/name`. */
export function podName({ namespace, name }: DemoPod): string {
  return `${namespace}/${name}`;
}
