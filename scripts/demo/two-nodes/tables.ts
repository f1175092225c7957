import { formatTextTable } from '../../command-line/text-table.ts';
import { connectFrom, listenIn } from '../../../test/lab/api-server/tcp-peer.ts';
import { families, type ClusterNode, type TwoNodes } from '../../../test/lab/two-nodes/two-nodes.ts';
import { birdNames, type Bird } from '../../../test/lab/two-nodes/bird.ts';
import { observeTraces, type NodePod } from '../../../test/lab/two-nodes/pod.ts';
import { formatRoute, readRoutes } from '../../../test/lab/two-nodes/route.ts';
import type { Probe } from '../reachability.ts';

const PORT = 8000;

/** Formats the nodes and their addresses as a table. */
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
  return `API server ${apiUrl}\n${formatTextTable({ head: ['NODE', 'ADDRESSES', 'PODCIDRS'], rows })}`;
}

/** Formats the routes of both nodes as a table, without those that the kernel adds automatically. */
export async function describeRoutes(nodes: readonly ClusterNode[]): Promise<string> {
  const rows = nodes.map(async ({ name, machine }) =>
    (await readRoutes(machine)).map((route) => [name, formatRoute(route)]),
  );
  return formatTextTable({ head: ['NODE', 'ROUTE'], rows: (await Promise.all(rows)).flat() });
}

/**
 * Sends packets to each pod from the pods of the other node and from the other node itself.
 *
 * @returns a table of the round-trip times, and of the source addresses that the pods see
 * @throws {Error} if packets are lost, or arrive with another source address (NAT)
 */
export async function describeReach(
  nodes: readonly ClusterNode[],
  pods: readonly NodePod[],
  probe: Probe,
): Promise<string> {
  const podEnds = pods.map(({ name, node, sandbox, addresses }) => ({
    name: `demo/${name}`,
    node,
    namespace: sandbox,
    addresses,
  }));
  const nodeEnds = nodes.map((node) => ({
    name: node.name,
    node,
    namespace: node.machine,
    addresses: node.addresses,
  }));
  const rows: string[][] = [];
  await using servers = new AsyncDisposableStack();
  for (const to of podEnds) {
    servers.use(await listenIn(to.namespace, PORT, families().length > 1 ? '::' : '0.0.0.0'));
    for (const from of [...podEnds, ...nodeEnds].filter(({ node }) => node !== to.node)) {
      for (const { name } of families()) {
        const address = to.addresses[name];
        const time = await probe.reach(from.namespace, to.namespace, address);
        const source = await connectFrom(from.namespace, address, PORT);
        if (source !== from.addresses[name]) throw new Error(`${to.name} sees ${from.name} as ${source}`);
        rows.push([from.name, to.name, address, time, source]);
      }
    }
  }
  const head = ['FROM', 'TO', 'ADDRESS', 'ROUND TRIP', 'SEEN AS'];
  return `${probe.description}\n${formatTextTable({ head, rows })}`;
}

/** Formats as a table which routes each BIRD has learned from its kernel, exports to its peer and imports from it. */
export async function describeBgp(birds: readonly { readonly bird: Bird; readonly pod: NodePod }[]): Promise<string> {
  const rows: string[][] = [];
  for (const { bird, pod } of birds) {
    for (const { name } of families()) {
      const { kernel, bgp } = birdNames(name);
      const fromKernel = await bird.destinations('protocol', kernel);
      const withoutDefault = fromKernel.filter((destination) => !destination.endsWith('/0'));
      const exported = await bird.destinations('export', bgp);
      const imported = await bird.destinations('protocol', bgp);
      rows.push([pod.node.name, bgp, withoutDefault.join(' '), exported.join(' '), imported.join(' ')]);
    }
  }
  return formatTextTable({ head: ['NODE', 'SESSION', 'FROM KERNEL', 'EXPORTED', 'IMPORTED'], rows });
}

/**
 * Checks that nothing of the attachments is left on any node, and says so.
 *
 * @param before the traces of each node before the first attachment
 * @throws {Error} with everything that is left
 */
export async function describeNothingLeft(
  nodes: readonly ClusterNode[],
  before: readonly (readonly string[])[],
): Promise<string> {
  const left: string[] = [];
  for (const [index, node] of nodes.entries()) {
    const lines = (await observeTraces(node)).filter((line) => before[index]?.includes(line) !== true);
    left.push(...lines.map((line) => `${line} on ${node.name}`));
  }
  if (left.length > 0) throw new Error(`Something is left:\n${left.join('\n')}`);
  return 'no interface, no route, no lease, no record on either node';
}
