import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE, startInstallCluster } from '../installer/install-cluster.ts';
import type { Cluster, ClusterOptions } from '../../lab/api-server/kube-apiserver.ts';
import { type NodeKubelet, startNodeKubelet } from './kubelet.ts';
import { makeNodePods, type NodePods } from './pods.ts';
import { type NodeRuntime, startNodeRuntime } from './runtime.ts';
import { readEndpoints } from '../nodes/api-server-node.ts';
import { JOURNAL, observeNode, type NodeState } from '../nodes/node-state.ts';
import { borrowCgroups, keepKernelSettings, makePrivateFolders, forwardOnNode } from './machine-settings.ts';

/** A whole node: an API server, containerd and the kubelet, in the namespaces that the test runs in. No CNI plugin yet. */
export interface KubeletNode extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly runtime: NodeRuntime;
  readonly kubelet: NodeKubelet;
  readonly pods: NodePods;
  state(): Promise<KubeletNodeState>;
}

/** Everything that attachments leave on the node, and the runtime's sandboxes. */
export type KubeletNodeState = NodeState & Readonly<Record<'sandboxes', readonly string[]>>;

/** The addresses of scripts/in-private-namespace.sh. */
const ADDRESSES = ['192.0.2.10', '2001:db8::10'];

/** @param options of a node whose pods use Services and a cluster DNS */
export async function startKubeletNode(
  options: { readonly api?: ClusterOptions; readonly clusterDns?: string } = {},
): Promise<KubeletNode> {
  await using started = new AsyncDisposableStack();
  started.use(await makePrivateFolders());
  started.use(await forwardOnNode());
  const folder = await mkdtemp(join(tmpdir(), 'podwire-node-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  started.use(await borrowCgroups());
  started.use(await keepKernelSettings());
  const cluster = started.use(await startInstallCluster(options.api));
  const runtime = started.use(await startNodeRuntime(folder));
  const kubelet = started.use(
    await startNodeKubelet({
      folder,
      endpoint: runtime.endpoint,
      nodeName: NODE,
      nodeAddresses: ADDRESSES,
      clusterDns: options.clusterDns,
      kubeconfig: cluster.kubeconfigWithClientCertificate({
        commonName: `system:node:${NODE}`,
        organizations: ['system:nodes'],
      }),
    }),
  );
  const pods = await makeNodePods(
    cluster,
    NODE,
    async () => `${await runtime.readLogs()}\n${await kubelet.readLogs()}`,
  );
  // This happens while the kubelet and the runtime still run.
  started.defer(() => pods.deleteAll());
  const running = started.move();
  return {
    cluster,
    runtime,
    kubelet,
    pods,
    state: () => observeState(cluster),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function observeState(cluster: Cluster): Promise<KubeletNodeState> {
  return {
    ...(await observeNode({
      dataDir: '/var/lib/cni/networks',
      journal: join(JOURNAL, 'k8s-pod-network'), // the name of the network in cni-conf
      endpoints: () => readEndpoints(cluster),
    })),
    sandboxes: await readdir('/run/netns').catch(() => []),
  };
}
