import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginAccount } from '../../lab/api-server/cluster-objects.ts';
import { startCluster, type Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { member, memberText, textMembers } from '../../lab/member.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import { startPlugin } from '../../lab/run-plugin.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { placePlugins } from '../../lab/tools/place-plugins.ts';
import { makeTestNode, type NodeCall, type TestNode } from './test-node.ts';
import { formatEndpoint, JOURNAL } from './node-state.ts';

/** A node with a real API server, whose calls run the executable. */
export interface ApiServerNode extends TestNode, AsyncDisposable {
  readonly cluster: Cluster;
  readonly account: PluginAccount;
  run(call: NodeCall): Promise<EndedExecutable>;
}

/** Starts a real API server with one node in it. */
export async function startApiServerNode({
  name = 'node-1',
  podCIDRs = ['10.71.0.0/24', 'fd71::/64'],
}: { readonly name?: string; readonly podCIDRs?: readonly string[] } = {}): Promise<ApiServerNode> {
  await using started = new AsyncDisposableStack();
  const plugins = await ensureTools(['host-local', 'portmap']);
  const folder = await mkdtemp('/run/podwire-node-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const cluster = started.use(await startCluster());
  await cluster.createNode(name, { podCIDRs });
  const account = await cluster.createPluginAccount({ nodeName: name });
  const node = makeTestNode({
    name,
    network: 'k8s-pod-network',
    folder,
    pluginPath: await placePlugins(plugins, join(folder, 'plugins')),
    ranges: { subnet: 'usePodCidr' },
    journalFolder: JOURNAL,
    endpoints: () => readEndpoints(cluster),
  });
  await account.writeKubeconfig(node.kubeconfigPath);
  const running = started.move();
  return {
    ...node,
    cluster,
    account,
    run: (call) => startPlugin(node.call(call)).ended,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The pods of a cluster that have annotations of interest. */
export async function readEndpoints({ admin }: Cluster): Promise<readonly string[]> {
  const pods = member(await admin.get('/api/v1/pods'), 'items');
  return (Array.isArray(pods) ? pods : []).flatMap((pod: unknown) => {
    const metadata = member(pod, 'metadata');
    return formatEndpoint(
      `${memberText(metadata, 'namespace')}/${memberText(metadata, 'name')}`,
      textMembers(member(metadata, 'annotations')),
    );
  });
}
