import { formatCidr, type Cidr } from '../address/cidr.ts';
import { FAMILIES, type Family } from '../address/family.ts';
import { addressFromBytes } from '../address/ip-address.ts';
import type { Observation, ObservedInterface, ObservedRoute } from '../plan/observation.ts';
import type { Place, Step, StepOf } from '../plan/step.ts';
import { decodeAddress, dumpAddressesRequest, type InterfaceAddress } from '../netlink/address-message.ts';
import type { Namespace } from './namespace.ts';
import { KernelError } from '../system/kernel-error.ts';
import { decodeLink, dumpLinksRequest, getLinkRequest } from '../netlink/link-message.ts';
import type { NetlinkRequest } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import {
  decodeRoute,
  dumpRoutesRequest,
  hasDestination,
  peekPrefixLength,
  type KernelRoute,
} from '../netlink/route-message.ts';
import { readSysctl } from './sysctl.ts';

/**
 * Reads what each step creates or changes: one observation for each step, in the same order.
 *
 * Both namespaces are read at the same time. Each is read with one exchange for its interfaces and, for each family of
 * the steps, one dump of addresses and one of routes.
 *
 * @throws {KernelError}
 */
export async function observeSteps(
  steps: readonly Step[],
  namespaces: Readonly<Record<Place, Namespace>>,
): Promise<readonly Observation[]> {
  const [host, sandbox] = await Promise.all([
    readNamespace('host', steps, namespaces.host),
    readNamespace('sandbox', steps, namespaces.sandbox),
  ]);
  return steps.map((step) => observationOf(step, { host, sandbox }));
}

/**
 * Reads all interfaces of the host.
 *
 * @throws {KernelError}
 */
export async function listLinks(socket: NetlinkSocket): Promise<readonly ObservedInterface[]> {
  return (await dump(socket, dumpLinksRequest(), 'interfaces (host)')).map(decodeLink);
}

/** The state of one namespace, as far as the steps concern it. */
interface NamespaceState {
  readonly links: ReadonlyMap<string, ObservedInterface>;
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly KernelRoute[];
  /** The names of the interfaces of the routes, by index. */
  readonly names: ReadonlyMap<number, string>;
}

async function readNamespace(place: Place, steps: readonly Step[], namespace: Namespace): Promise<NamespaceState> {
  const { socket } = namespace;
  const settings = steps.flatMap((step) => (step.kind === 'write-sysctl' && step.in === place ? [step] : []));
  const sysctls = namespace.run(() => new Map(settings.map((step) => [step.key, readSysctl(step)])));
  const links = await readLinks(socket, place, new Set(steps.flatMap((step) => interfacesOf(step, place))));
  const plannedAddresses = steps.flatMap((step) =>
    step.kind === 'add-address' && step.in === place ? [step.address] : [],
  );
  const plannedRoutes = steps.flatMap((step) => (step.kind === 'add-route' && step.in === place ? [step] : []));
  // One dump after the other: a socket can have one at a time, and the kernel refuses a second one with EBUSY.
  const addresses = await readAddresses(socket, place, plannedAddresses);
  const routes = await readRoutes(socket, place, plannedRoutes, links);
  const names = await readInterfaceNames(socket, links, routes);
  return { links, sysctls, addresses, routes, names };
}

function interfacesOf(step: Step, place: Place): readonly string[] {
  if (step.kind === 'create-veth') return [place === 'host' ? step.host.name : step.container.name];
  return step.kind === 'write-sysctl' || step.in !== place ? [] : [step.interface];
}

async function readLinks(
  socket: NetlinkSocket,
  place: Place,
  requested: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ObservedInterface>> {
  const names = [...requested];
  const replies = await socket.exchange(names.map((name) => getLinkRequest(name)));
  const links = new Map<string, ObservedInterface>();
  for (const [index, name] of names.entries()) {
    const reply = replies[index];
    if (reply?.errnoName === 'ENODEV') continue;
    const [payload] = reply?.payloads ?? [];
    if (payload === undefined) {
      throw new KernelError('find', `interface ${name} (${place})`, reply?.errnoName ?? 'ENODATA');
    }
    links.set(name, decodeLink(payload));
  }
  return links;
}

async function readAddresses(
  socket: NetlinkSocket,
  place: Place,
  planned: readonly Cidr[],
): Promise<readonly InterfaceAddress[]> {
  const read: InterfaceAddress[] = [];
  for (const { name: family, label } of familiesOf(planned)) {
    const texts = new Set(planned.map(({ address }) => address.text));
    const isRequested = (payload: Uint8Array): boolean => texts.has(decodeAddress(payload).address.address.text);
    const request = { ...dumpAddressesRequest(family), openFilter: () => isRequested };
    const payloads = await dump(socket, request, `${label} addresses (${place})`);
    read.push(...payloads.map(decodeAddress));
  }
  return read;
}

async function readRoutes(
  socket: NetlinkSocket,
  place: Place,
  planned: readonly StepOf<'add-route'>[],
  links: ReadonlyMap<string, ObservedInterface>,
): Promise<readonly KernelRoute[]> {
  const read: KernelRoute[] = [];
  for (const { name: family, label } of familiesOf(planned.map(({ route }) => route.destination))) {
    const ofFamily = planned.filter(({ route }) => route.destination.address.family === family);
    const request = { ...dumpRoutesRequest(family), openFilter: () => openRouteFilter(ofFamily, links) };
    read.push(...(await dump(socket, request, `${label} routes (${place})`)).map(decodeRoute));
  }
  return read;
}

function openRouteFilter(
  planned: readonly StepOf<'add-route'>[],
  links: ReadonlyMap<string, ObservedInterface>,
): (payload: Uint8Array) => boolean {
  const counts = new Map<string, number>();
  return (payload) => {
    // There can be hundreds of thousands of routes. Those with another prefix length are not even decoded.
    const similar = planned.filter(
      ({ route: { destination } }) =>
        peekPrefixLength(payload, destination.address.family) === destination.prefixLength,
    );
    if (similar.length === 0) return false;
    const route = decodeRoute(payload);
    const step = similar.find((each) => hasDestination(route, each.route.destination));
    if (step === undefined || !route.isUnicast) return false;
    const key = `${formatCidr(step.route.destination)} ${isAsPlanned(route, step, links)}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count < MAX_ROUTES;
  };
}

// A pod can add any number of routes to one destination, with different priorities. So many are reported, and as many
// of those that are as planned.
const MAX_ROUTES = 16;

function isAsPlanned(
  route: KernelRoute,
  { interface: name, route: planned }: StepOf<'add-route'>,
  links: ReadonlyMap<string, ObservedInterface>,
): boolean {
  return (
    route.interfaceIndex === links.get(name)?.index &&
    Buffer.compare(route.gateway ?? NO_BYTES, planned.gateway?.bytes ?? NO_BYTES) === 0 &&
    (planned.mtuBytes === undefined || route.mtuBytes === planned.mtuBytes) &&
    (planned.advertisedMssBytes === undefined || route.advertisedMssBytes === planned.advertisedMssBytes)
  );
}

const NO_BYTES = new Uint8Array();

function familiesOf(cidrs: readonly Cidr[]): readonly { readonly name: Family; readonly label: string }[] {
  return FAMILIES.filter(({ name }) => cidrs.some(({ address }) => address.family === name));
}

/** Requests only the names of interfaces that no step mentions. If everything is as planned, there are none. */
async function readInterfaceNames(
  socket: NetlinkSocket,
  links: ReadonlyMap<string, ObservedInterface>,
  routes: readonly KernelRoute[],
): Promise<ReadonlyMap<number, string>> {
  const names = new Map([...links.values()].map(({ index, name }) => [index, name]));
  const indices = new Set(routes.flatMap(({ interfaceIndex: index }) => (index === undefined ? [] : [index])));
  const unknown = [...indices].filter((index) => !names.has(index));
  const replies = await socket.exchange(unknown.map((index) => getLinkRequest(index)));
  for (const payload of replies.flatMap(({ payloads }) => payloads)) {
    const { index, name } = decodeLink(payload);
    names.set(index, name);
  }
  return names;
}

async function dump(socket: NetlinkSocket, request: NetlinkRequest, what: string): Promise<readonly Uint8Array[]> {
  const [reply] = await socket.exchange([request]);
  if (reply === undefined || reply.errnoName !== undefined) {
    throw new KernelError('read the', what, reply?.errnoName ?? 'ENODATA');
  }
  return reply.payloads;
}

function observationOf(step: Step, state: Readonly<Record<Place, NamespaceState>>): Observation {
  switch (step.kind) {
    case 'create-veth':
      return {
        kind: step.kind,
        step,
        host: state.host.links.get(step.host.name),
        container: state.sandbox.links.get(step.container.name),
      };
    case 'write-sysctl':
      return { kind: step.kind, step, value: state[step.in].sysctls.get(step.key) };
    case 'set-up':
      return { kind: step.kind, step, isUp: state[step.in].links.get(step.interface)?.isUp };
    case 'add-route':
      return { kind: step.kind, step, routes: routesOf(step, state[step.in]) };
    case 'add-address':
      return { kind: step.kind, step, addresses: addressesOf(step, state[step.in]) };
    default:
      return step satisfies never;
  }
}

function routesOf(step: StepOf<'add-route'>, { routes, names }: NamespaceState): readonly ObservedRoute[] {
  return routes
    .filter((route) => hasDestination(route, step.route.destination))
    .map(({ interfaceIndex, gateway, ...route }) => ({
      interface: interfaceIndex === undefined ? undefined : names.get(interfaceIndex),
      gateway: gateway && addressFromBytes(gateway),
      scope: route.scope,
      priority: route.priority,
      table: route.table,
      protocol: route.protocol,
      mtuBytes: route.mtuBytes,
      advertisedMssBytes: route.advertisedMssBytes,
    }));
}

function addressesOf(step: StepOf<'add-address'>, { addresses, links }: NamespaceState): readonly Cidr[] {
  const index = links.get(step.interface)?.index;
  const { text } = step.address.address;
  return addresses
    .filter(({ interfaceIndex, address }) => interfaceIndex === index && address.address.text === text)
    .map(({ address }) => address);
}
