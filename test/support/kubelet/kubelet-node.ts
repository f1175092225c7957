import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE, startInstallCluster } from '../installer/install-cluster.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { borrowCgroups, keepKernelSettings, makePrivateFolders } from './machine-settings.ts';
import { forwardOnNode } from './forwarding.ts';
import { type NodeKubelet, startNodeKubelet } from './kubelet.ts';
import { makeNodePods, type NodePods } from './pods.ts';
import { type NodeRuntime, startNodeRuntime } from './runtime.ts';
import { memberText } from '../../lab/member.ts';

/** A whole node: an API server, containerd and the kubelet, in the namespaces that the test runs in. No CNI plugin yet. */
export interface NodeMachine extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly runtime: NodeRuntime;
  readonly kubelet: NodeKubelet;
  readonly pods: NodePods;
  state(): Promise<NodeState>;
}

/** What attachments leave on a node. */
export type NodeState = Readonly<Record<'links' | 'routes' | 'leases' | 'records' | 'sandboxes', readonly string[]>>;

/** The addresses of scripts/in-private-namespace.sh. */
const ADDRESSES = ['192.0.2.10', '2001:db8::10'];

export async function startNodeMachine(): Promise<NodeMachine> {
  await using started = new AsyncDisposableStack();
  started.use(await makePrivateFolders());
  started.use(await forwardOnNode());
  const folder = await mkdtemp(join(tmpdir(), 'podwire-node-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  started.use(await borrowCgroups());
  started.use(await keepKernelSettings());
  const cluster = started.use(await startInstallCluster());
  const runtime = started.use(await startNodeRuntime(folder));
  const kubelet = started.use(
    await startNodeKubelet({
      folder,
      endpoint: runtime.endpoint,
      nodeName: NODE,
      nodeAddresses: ADDRESSES,
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
  // While the kubelet and the runtime are there to do it.
  started.defer(() => pods.deleteAll());
  const running = started.move();
  return { cluster, runtime, kubelet, pods, state: observeState, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function observeState(): Promise<NodeState> {
  const host = hostNamespace();
  const links = (await host.ip('link', 'show')).map((link) => memberText(link, 'ifname'));
  const routes = [...(await host.ip('-4', 'route')), ...(await host.ip('-6', 'route'))].map(
    (route) => `${memberText(route, 'dst')} dev ${memberText(route, 'dev')}`,
  );
  const leases = await filesBelow('/var/lib/cni/networks', /^[0-9a-f.:]+$/);
  const records = await filesBelow('/var/lib/podwire/attachments', /./);
  const sandboxes = await filesBelow('/run/netns', /./);
  return { links: links.toSorted(), routes: routes.toSorted(), leases, records, sandboxes };
}

async function filesBelow(folder: string, named: RegExp): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.flatMap(({ name, parentPath }) =>
    named.test(name) && !/^(lock|last_reserved_ip\.\d)$/.test(name) ? [join(parentPath, name)] : [],
  );
}
