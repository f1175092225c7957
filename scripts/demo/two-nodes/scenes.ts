import { connectFrom, listenIn } from '../../../test/lab/api-server/tcp-peer.ts';
import { families, type ClusterNode, type TwoNodes } from '../../../test/lab/two-nodes/two-nodes.ts';
import { birdNames, type Bird } from '../../../test/lab/two-nodes/bird.ts';
import { observeTraces, type NodePod } from '../../../test/lab/two-nodes/pod.ts';
import { formatRoute, readRoutes } from '../../../test/lab/two-nodes/route.ts';
import type { Probe } from '../reachability.ts';
import { formatTable } from '../table.ts';

const PORT = 8000;

/** What there is before any pod. */
export function describeNodes({ apiUrl, nodes }: TwoNodes): string {
  const rows = nodes.map(({ name, addresses, podCidrs }) => [
    name,
    families()
      .map((family) => addresses[family.name])
      .join(' '),
    families()
      .map((family) => podCidrs[family.name])
      .join(' '),
  ]);
  return `API server ${apiUrl}\n${formatTable(['NODE', 'ADDRESSES', 'PODCIDRS'], rows)}`;
}

/** The routes of both nodes but the kernel's own. */
export async function describeRoutes(nodes: readonly ClusterNode[]): Promise<string> {
  const rows = nodes.map(async ({ name, machine }) =>
    (await readRoutes(machine)).map((route) => [name, formatRoute(route)]),
  );
  return formatTable(['NODE', 'ROUTE'], (await Promise.all(rows)).flat());
}

/**
 * From each pod to each pod of another node, and from each node to them.
 *
 * @throws {Error} naming the two between which nothing gets through, or whose address was changed on the way
 */
export async function describeReach(
  nodes: readonly ClusterNode[],
  pods: readonly NodePod[],
  probe: Probe,
): Promise<string> {
  const ofPods = pods.map(({ name, node, sandbox, addresses }) => ({
    name: `demo/${name}`,
    node,
    namespace: sandbox,
    addresses,
  }));
  const ofNodes = nodes.map((node) => ({
    name: node.name,
    node,
    namespace: node.machine,
    addresses: node.addresses,
  }));
  const rows: string[][] = [];
  await using servers = new AsyncDisposableStack();
  for (const to of ofPods) {
    servers.use(await listenIn(to.namespace, PORT, families().length > 1 ? '::' : '0.0.0.0'));
    for (const from of [...ofPods, ...ofNodes].filter(({ node }) => node !== to.node))
      for (const { name } of families()) {
        const address = to.addresses[name];
        const time = await probe.reach(from.namespace, to.namespace, address);
        const seen = await connectFrom(from.namespace, address, PORT);
        if (seen !== from.addresses[name]) throw new Error(`${to.name} sees ${from.name} as ${seen}`);
        rows.push([from.name, to.name, address, time, seen]);
      }
  }
  return `${probe.description}\n${formatTable(['FROM', 'TO', 'ADDRESS', 'ROUND TRIP', 'SEEN AS'], rows)}`;
}

/** What BIRD has learned of the kernel, and what it gives to the peer. */
export async function describeBgp(birds: readonly { readonly bird: Bird; readonly pod: NodePod }[]): Promise<string> {
  const rows: string[][] = [];
  for (const { bird, pod } of birds)
    for (const { name } of families()) {
      const { kernel, bgp } = birdNames(name);
      const learned = (await bird.destinations('protocol', kernel)).filter(
        (destination) => !destination.endsWith('/0'),
      );
      const given = await bird.destinations('export', bgp);
      const got = await bird.destinations('protocol', bgp);
      rows.push([pod.node.name, bgp, learned.join(' '), given.join(' '), got.join(' ')]);
    }
  return formatTable(['NODE', 'SESSION', 'LEARNED OF THE KERNEL', 'GIVEN TO THE PEER', 'GOT FROM THE PEER'], rows);
}

/** @throws {Error} with all that is left */
export async function describeNothingLeft(
  nodes: readonly ClusterNode[],
  before: readonly (readonly string[])[],
): Promise<string> {
  const left: string[] = [];
  for (const [index, node] of nodes.entries()) {
    const lines = (await observeTraces(node)).filter((line) => before[index]?.includes(line) !== true);
    left.push(...lines.map((line) => `${line} on ${node.name}`));
  }
  if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
  return 'no interface, no route, no lease, no record on either node';
}
