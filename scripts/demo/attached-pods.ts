import { formatTextTable } from '../command-line/text-table.ts';
import { hostNamespace, type NetworkNamespace, type Sandbox } from '../../test/lab/namespaces/network-namespace.ts';
import { POD_IP, POD_IPS, readEndpointAnnotations } from './endpoint-annotations.ts';
import {
  observeInterfaces,
  observeLeases,
  observeRecords,
  observeRoutes,
  resultAddresses,
  resultHostInterface,
  type InterfaceSummary,
} from './observation.ts';
import type { Attachment } from './plugin.ts';
import type { Probe } from './reachability.ts';
import { podName, type DemoCluster } from './demo-cluster.ts';

/** A pod that the plugin has attached. */
export interface AttachedPod {
  readonly attachment: Attachment;
  readonly sandbox: Sandbox;
  /** The plugin's result, parsed. */
  readonly result: unknown;
}

/**
 * Formats the pods' interfaces, routes and annotations as tables.
 *
 * @throws {Error} if they differ from the plugin's results
 */
export async function describeAttached(attached: readonly AttachedPod[], cluster: DemoCluster): Promise<string> {
  const host = hostNamespace();
  const hostInterfaces = await observeInterfaces(host);
  const podInterfaces = new Set(attached.map(({ result }) => resultHostInterface(result)));
  const interfaceRows = rowsOf(
    'node',
    hostInterfaces.filter(({ name }) => podInterfaces.has(name)),
  );
  const routeRows = (await observeRoutes(host)).map((route) => ['node', route]);
  const annotationRows: string[][] = [];
  for (const { attachment, sandbox, result } of attached) {
    const pod = podName(attachment.pod);
    const inPod = await observeInterfaces(sandbox);
    const annotations = await readEndpointAnnotations(cluster, attachment.pod);
    const expected = resultAddresses(result);
    const actual = inPod.find(({ name }) => name === 'eth0')?.addresses;
    assertSameAddresses(`the addresses of eth0 in ${pod}`, actual, expected);
    assertSameAddresses(`the annotation ${POD_IPS} of ${pod}`, annotations.get(POD_IPS)?.split(','), expected);
    interfaceRows.push(...rowsOf(pod, inPod));
    routeRows.push(...(await observeRoutes(sandbox)).map((route) => [pod, route]));
    annotationRows.push(...[...annotations].map(([key, value]) => [pod, key, value]));
  }
  return [
    { head: ['WHERE', 'INTERFACE', 'MAC', 'MTU', 'ADDRESSES'], rows: interfaceRows },
    { head: ['WHERE', 'ROUTE'], rows: routeRows },
    { head: ['POD', 'ANNOTATION', 'VALUE'], rows: annotationRows },
  ]
    .map(formatTextTable)
    .join('\n\n');
}

function rowsOf(where: string, links: readonly InterfaceSummary[]): string[][] {
  return links.map(({ name, mac, mtu, addresses }) => [where, name, mac, mtu, addresses.join(' ') || '-']);
}

/**
 * Sends packets from the node to each pod, and from each pod to the other pods, or to the node if there is only one
 * pod.
 *
 * @returns a table of the round-trip times
 * @throws {Error} naming the two ends between which packets are lost
 */
export async function probeAll(attached: readonly AttachedPod[], probe: Probe): Promise<string> {
  const host: Place = { name: 'node', namespace: hostNamespace(), addresses: await uplinkAddresses() };
  const pods = attached.map(({ attachment, sandbox, result }): Place => {
    const addresses = resultAddresses(result).map(withoutPrefixLength);
    return { name: podName(attachment.pod), namespace: sandbox, addresses };
  });
  const pairs = pods.flatMap((pod) => {
    const others = pods.length === 1 ? [host] : pods.filter((other) => other !== pod);
    return [{ from: host, to: pod }, ...others.map((other) => ({ from: pod, to: other }))];
  });
  const rows: string[][] = [];
  for (const { from, to } of pairs) {
    for (const address of to.addresses.filter((one) => from.addresses.some((other) => isOfSameFamily(one, other)))) {
      try {
        rows.push([from.name, to.name, address, await probe.reach(from.namespace, to.namespace, address)]);
      } catch (cause) {
        throw new Error(
          `${from.name} cannot reach ${to.name} at ${address}: ${cause instanceof Error ? cause.message : ''}`,
          { cause },
        );
      }
    }
  }
  return `${probe.description}\n${formatTextTable({ head: ['FROM', 'TO', 'ADDRESS', 'ROUND TRIP'], rows })}`;
}

interface Place {
  readonly name: string;
  readonly namespace: NetworkNamespace;
  readonly addresses: readonly string[];
}

/** Lists everything on the node that an attachment can leave behind, each as a line of text. */
export async function observeNode(): Promise<readonly string[]> {
  const host = hostNamespace();
  return [
    ...(await observeInterfaces(host)).map(({ name }) => `interface ${name}`),
    ...(await observeRoutes(host)).map((route) => `route ${route}`),
    ...(await observeLeases()).map((address) => `lease ${address}`),
    ...(await observeRecords()).map((name) => `record ${name}`),
  ];
}

/**
 * Checks that nothing of the attachments is left, and says so.
 *
 * @param before the result of {@link observeNode} before the first attachment
 * @throws {Error} with everything that is left
 */
export async function describeNothingLeft(
  attached: readonly AttachedPod[],
  cluster: DemoCluster,
  before: readonly string[],
): Promise<string> {
  const left = (await observeNode()).filter((line) => !before.includes(line));
  for (const { attachment, sandbox } of attached) {
    const pod = podName(attachment.pod);
    left.push(...(await observeInterfaces(sandbox)).map(({ name }) => `interface ${name} in ${pod}`));
    left.push(...(await observeRoutes(sandbox)).map((route) => `route ${route} in ${pod}`));
    const annotations = await readEndpointAnnotations(cluster, attachment.pod);
    for (const key of [POD_IP, POD_IPS]) {
      const value = annotations.get(key) ?? '';
      if (value !== '') left.push(`annotation ${key}=${value} of ${pod}`);
    }
  }
  if (left.length > 0) throw new Error(`Something is left:\n${left.join('\n')}`);
  return 'no interface, no route, no lease, no record, no address in an annotation';
}

// scripts/in-private-namespace.sh has created this interface.
async function uplinkAddresses(): Promise<readonly string[]> {
  const links = await observeInterfaces(hostNamespace());
  return links.find(({ name }) => name === 'uplink')?.addresses.map(withoutPrefixLength) ?? [];
}

function assertSameAddresses(what: string, actual: readonly string[] | undefined, expected: readonly string[]): void {
  if (actual?.toSorted().join(' ') === expected.toSorted().join(' ')) return;
  throw new Error(`${what}: expected ${expected.join(' ')} as in the result, got ${actual?.join(' ') ?? 'none'}`);
}

function withoutPrefixLength(cidr: string): string {
  return cidr.replace(/\/.*$/, '');
}

function isOfSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
