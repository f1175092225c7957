import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../../test/lab/api-server/kube-apiserver.ts';
import { makeSandbox, type Sandbox } from '../../test/lab/namespaces/network-namespace.ts';

/** A pod and its sandbox, as a runtime would have created it. */
export interface BenchPod {
  readonly name: string;
  readonly uid: string;
  readonly sandbox: Sandbox;
}

/** A node in a cluster with a real API server, and its pods, which are not attached yet. */
export interface BenchNode extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly name: string;
  readonly pods: readonly BenchPod[];
  /** Has a service account's token, with the permissions of the plugin's own role. */
  readonly kubeconfigPath: string;
  readonly userName: string;
  /** A folder on a private tmpfs. */
  readonly folder: string;
}

export const POD_NAMESPACE = 'bench';
const NODE = 'bench-node';

/** Starts the cluster, and creates the node with `podCount` pods. */
export async function openBenchNode(podCount: number): Promise<BenchNode> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await startCluster());
  const folder = '/run/podwire-bench';
  await mkdir(folder);
  await cluster.createNode(NODE, { podCIDRs: ['10.244.0.0/22'] });
  await fillNodeStatus(cluster);
  const account = await cluster.createPluginAccount({ nodeName: NODE });
  const kubeconfigPath = join(folder, 'kubeconfig');
  await account.writeKubeconfig(kubeconfigPath);
  const pods: BenchPod[] = [];
  for (let index = 0; index < podCount; index++) {
    const name = `pod-${index}`;
    const { uid } = await cluster.createPod(POD_NAMESPACE, name, { nodeName: NODE, labels: { app: 'bench' } });
    pods.push({ name, uid, sandbox: opened.use(await makeSandbox()) });
  }
  const { userName } = account;
  const running = opened.move();
  return {
    cluster,
    name: NODE,
    pods,
    kubeconfigPath,
    userName,
    folder,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

// A real Node object is large, because the kubelet lists the node's 50 largest images. The plugin reads all of it.
async function fillNodeStatus({ admin }: Cluster): Promise<void> {
  const images = Array.from({ length: 50 }, (_, index) => ({
    names: [
      `registry.example/team/application-${index}@sha256:${String(index).padStart(64, '0')}`,
      `registry.example/team/application-${index}:v1.${index}.0`,
    ],
    sizeBytes: 100_000_000 + index,
  }));
  await admin.patch(`/api/v1/nodes/${NODE}/status`, { status: { images } });
}
