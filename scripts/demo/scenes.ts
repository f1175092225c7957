import { hostNamespace, type NetworkNamespace, type Sandbox } from '../../test/lab/namespaces/network-namespace.ts';
import { POD_IP, POD_IPS, readEndpointAnnotations } from './endpoint-annotations.ts';
import {
  observeInterfaces,
  observeLeases,
  observeRecords,
  observeRoutes,
  resultAddresses,
  resultHostInterface,
  type ShownInterface,
} from './observation.ts';
import type { Attachment } from './plugin.ts';
import type { Probe } from './reachability.ts';
import { podName, type Stage } from './stage.ts';
import { formatTable } from './table.ts';

/** A pod that has been attached. */
export interface AttachedPod {
  readonly attachment: Attachment;
  readonly sandbox: Sandbox;
  /** The plugin's, parsed. */
  readonly result: unknown;
}

/**
 * Interfaces, routes and annotations as tables.
 *
 * @throws {Error} if they are not what the plugin's results say
 */
export async function describeAttached(attached: readonly AttachedPod[], stage: Stage): Promise<string> {
  const host = hostNamespace();
  const hostInterfaces = await observeInterfaces(host);
  const ofPods = new Set(attached.map(({ result }) => resultHostInterface(result)));
  const interfaceRows = rowsOf(
    'node',
    hostInterfaces.filter(({ name }) => ofPods.has(name)),
  );
  const routeRows = (await observeRoutes(host)).map((route) => ['node', route]);
  const annotationRows: string[][] = [];
  for (const { attachment, sandbox, result } of attached) {
    const pod = podName(attachment.pod);
    const inPod = await observeInterfaces(sandbox);
    const annotations = await readEndpointAnnotations(stage, attachment.pod);
    const wanted = resultAddresses(result);
    refuseOther(`the addresses of eth0 in ${pod}`, inPod.find(({ name }) => name === 'eth0')?.addresses, wanted);
    refuseOther(`the annotation ${POD_IPS} of ${pod}`, annotations.get(POD_IPS)?.split(','), wanted);
    interfaceRows.push(...rowsOf(pod, inPod));
    routeRows.push(...(await observeRoutes(sandbox)).map((route) => [pod, route]));
    annotationRows.push(...[...annotations].map(([key, value]) => [pod, key, value]));
  }
  return [
    formatTable(['WHERE', 'INTERFACE', 'MAC', 'MTU', 'ADDRESSES'], interfaceRows),
    formatTable(['WHERE', 'ROUTE'], routeRows),
    formatTable(['POD', 'ANNOTATION', 'VALUE'], annotationRows),
  ].join('\n\n');
}

function rowsOf(where: string, links: readonly ShownInterface[]): string[][] {
  return links.map(({ name, mac, mtu, addresses }) => [where, name, mac, mtu, addresses.join(' ') || '-']);
}

/**
 * From the node to each pod, and from pod to pod, or to the node where there is only one.
 *
 * @throws {Error} naming the two between which nothing gets through
 */
export async function probeAll(attached: readonly AttachedPod[], probe: Probe): Promise<string> {
  const host: Place = { name: 'node', namespace: hostNamespace(), addresses: await uplinkAddresses() };
  const pods = attached.map(({ attachment, sandbox, result }): Place => {
    const addresses = resultAddresses(result).map(withoutLength);
    return { name: podName(attachment.pod), namespace: sandbox, addresses };
  });
  const pairs = pods.flatMap((pod) => [
    [host, pod] as const,
    ...(pods.length === 1
      ? [[pod, host] as const]
      : pods.filter((other) => other !== pod).map((other) => [pod, other] as const)),
  ]);
  const rows: string[][] = [];
  for (const [from, to] of pairs) {
    for (const address of to.addresses.filter((one) => from.addresses.some((other) => isOfSameFamily(one, other)))) {
      try {
        rows.push([from.name, to.name, address, await probe.reach(from.namespace, to.namespace, address)]);
      } catch (cause) {
        throw new Error(
          `${from.name} does not reach ${to.name} at ${address}: ${cause instanceof Error ? cause.message : ''}`,
          { cause },
        );
      }
    }
  }
  return `${probe.description}\n${formatTable(['FROM', 'TO', 'ADDRESS', 'ROUND TRIP'], rows)}`;
}

interface Place {
  readonly name: string;
  readonly namespace: NetworkNamespace;
  readonly addresses: readonly string[];
}

/** What of the node an attachment can leave traces in, each a line of text. */
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
 * That an attachment is gone, as text.
 *
 * @param before what {@link observeNode} gave
 * @throws {Error} with all that is left
 */
export async function describeNothingLeft(
  attached: readonly AttachedPod[],
  stage: Stage,
  before: readonly string[],
): Promise<string> {
  const left = (await observeNode()).filter((line) => !before.includes(line));
  for (const { attachment, sandbox } of attached) {
    const pod = podName(attachment.pod);
    left.push(...(await observeInterfaces(sandbox)).map(({ name }) => `interface ${name} in ${pod}`));
    left.push(...(await observeRoutes(sandbox)).map((route) => `route ${route} in ${pod}`));
    const annotations = await readEndpointAnnotations(stage, attachment.pod);
    for (const key of [POD_IP, POD_IPS]) {
      const value = annotations.get(key) ?? '';
      if (value !== '') left.push(`annotation ${key}=${value} of ${pod}`);
    }
  }
  if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
  return 'no interface, no route, no lease, no record, no address in an annotation';
}

// Of the namespace that scripts/in-private-namespace.sh has made.
async function uplinkAddresses(): Promise<readonly string[]> {
  const links = await observeInterfaces(hostNamespace());
  return links.find(({ name }) => name === 'uplink')?.addresses.map(withoutLength) ?? [];
}

function refuseOther(what: string, found: readonly string[] | undefined, wanted: readonly string[]): void {
  if (found?.toSorted().join(' ') === wanted.toSorted().join(' ')) return;
  throw new Error(`${what} are ${found?.join(' ') ?? 'none'}, the result says ${wanted.join(' ')}`);
}

function withoutLength(cidr: string): string {
  return cidr.replace(/\/.*$/, '');
}

function isOfSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
