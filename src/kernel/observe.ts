import type { Cidr } from '../address/cidr.ts';
import { FAMILIES, type Family } from '../address/family.ts';
import { addressFromBytes } from '../address/ip-address.ts';
import type { Observation, ObservedRoute } from '../plan/drift.ts';
import type { Place, Step } from '../plan/step.ts';
import { decodeAddress, dumpAddressesRequest, type InterfaceAddress } from '../netlink/address-message.ts';
import type { Namespace } from './namespace.ts';
import { KernelError } from '../system/kernel-error.ts';
import type { ObservedInterface } from '../netlink/observed-interface.ts';
import { decodeLink, decodePeerIndex, dumpLinksRequest, getLinkRequest } from '../netlink/link-message.ts';
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
 * What there is of each step's change, in the order of the steps.
 *
 * The two namespaces are read at the same time, each with one question for its interfaces, and one for the addresses and one for the
 * routes of each family that the steps name.
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

/** Every interface of one namespace. */
export async function listLinks(socket: NetlinkSocket, place: Place): Promise<readonly ObservedInterface[]> {
  return (await dump(socket, dumpLinksRequest(), `interfaces (${place})`)).map(decodeLink);
}

interface Link extends ObservedInterface {
  /** Of a veth's other end, in that one's namespace. */
  readonly peerIndex: number | undefined;
}

/** What was read of one namespace, no more than its steps need. */
interface NamespaceState {
  readonly links: ReadonlyMap<string, Link>;
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly KernelRoute[];
  /** Names of the interfaces that the routes lead to. */
  readonly names: ReadonlyMap<number, string>;
}

type Wanted<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

async function readNamespace(place: Place, steps: readonly Step[], namespace: Namespace): Promise<NamespaceState> {
  const { socket } = namespace;
  const settings = steps.flatMap((step) => (step.kind === 'write-sysctl' && step.in === place ? [step] : []));
  const sysctls = namespace.run(() => new Map(settings.map((step) => [step.key, readSysctl(step)])));
  const links = await readLinks(socket, place, new Set(steps.flatMap((step) => interfacesOf(step, place))));
  const wantedAddresses = steps.flatMap((step) =>
    step.kind === 'add-address' && step.in === place ? [step.address] : [],
  );
  const wantedRoutes = steps.flatMap((step) =>
    step.kind === 'add-route' && step.in === place ? [step.route.destination] : [],
  );
  // One dump after the other: a socket has at most one going on, and a second is refused with EBUSY.
  const addresses = await readAddresses(socket, place, wantedAddresses);
  const routes = await readRoutes(socket, place, wantedRoutes);
  const names = await readNames(socket, links, routes);
  return { links, sysctls, addresses, routes, names };
}

function interfacesOf(step: Step, place: Place): readonly string[] {
  if (step.kind === 'create-veth') return [place === 'host' ? step.host.name : step.container.name];
  return step.kind === 'write-sysctl' || step.in !== place ? [] : [step.interface];
}

async function readLinks(
  socket: NetlinkSocket,
  place: Place,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Link>> {
  const names = [...wanted];
  const replies = await socket.exchange(names.map((name) => getLinkRequest(name)));
  const links = new Map<string, Link>();
  for (const [index, name] of names.entries()) {
    const reply = replies[index];
    if (reply?.errnoName === 'ENODEV') continue;
    const [payload] = reply?.payloads ?? [];
    if (payload === undefined)
      throw new KernelError('find', `interface ${name} (${place})`, reply?.errnoName ?? 'ENODATA');
    links.set(name, { ...decodeLink(payload), peerIndex: decodePeerIndex(payload) });
  }
  return links;
}

async function readAddresses(
  socket: NetlinkSocket,
  place: Place,
  wanted: readonly Cidr[],
): Promise<readonly InterfaceAddress[]> {
  const read: InterfaceAddress[] = [];
  for (const { name: family, label } of familiesOf(wanted)) {
    const payloads = await dump(socket, dumpAddressesRequest(family), `${label} addresses (${place})`);
    read.push(...payloads.map(decodeAddress).filter(({ address }) => address.address.family === family));
  }
  return read;
}

async function readRoutes(
  socket: NetlinkSocket,
  place: Place,
  destinations: readonly Cidr[],
): Promise<readonly KernelRoute[]> {
  const read: KernelRoute[] = [];
  for (const { name: family, label } of familiesOf(destinations)) {
    const wanted = destinations.filter(({ address }) => address.family === family);
    for (const payload of await dump(socket, dumpRoutesRequest(family), `${label} routes (${place})`)) {
      // A node can have thousands of routes: only those are decoded that can be meant.
      const prefixLength = peekPrefixLength(payload, family);
      if (!wanted.some((destination) => destination.prefixLength === prefixLength)) continue;
      const route = decodeRoute(payload);
      if (route.isUnicast && wanted.some((destination) => hasDestination(route, destination))) read.push(route);
    }
  }
  return read;
}

function familiesOf(cidrs: readonly Cidr[]): readonly { readonly name: Family; readonly label: string }[] {
  return FAMILIES.filter(({ name }) => cidrs.some(({ address }) => address.family === name));
}

/** Asks only for interfaces that no step names: there are none where all is as planned. */
async function readNames(
  socket: NetlinkSocket,
  links: ReadonlyMap<string, Link>,
  routes: readonly KernelRoute[],
): Promise<ReadonlyMap<number, string>> {
  const names = new Map([...links.values()].map(({ index, name }) => [index, name]));
  const unknown = new Set(routes.flatMap(({ interfaceIndex: index }) => (index === undefined ? [] : [index])));
  const asked = [...unknown].filter((index) => !names.has(index));
  const replies = await socket.exchange(asked.map((index) => getLinkRequest(index)));
  for (const payload of replies.flatMap(({ payloads }) => payloads)) {
    const { index, name } = decodeLink(payload);
    names.set(index, name);
  }
  return names;
}

async function dump(socket: NetlinkSocket, request: NetlinkRequest, what: string): Promise<readonly Uint8Array[]> {
  const [reply] = await socket.exchange([request]);
  if (reply === undefined || reply.errnoName !== undefined)
    throw new KernelError('read the', what, reply?.errnoName ?? 'ENODATA');
  return reply.payloads;
}

function observationOf(step: Step, state: Readonly<Record<Place, NamespaceState>>): Observation {
  switch (step.kind) {
    case 'create-veth':
      return observeVeth(step, state);
    case 'write-sysctl':
      return { kind: step.kind, value: state[step.in].sysctls.get(step.key) };
    case 'set-up':
      return { kind: step.kind, isUp: state[step.in].links.get(step.interface)?.isUp };
    case 'add-route':
      return { kind: step.kind, found: observeRoutes(step, state[step.in]) };
    case 'add-address':
      return { kind: step.kind, found: observeAddresses(step, state[step.in]) };
    default:
      return step satisfies never;
  }
}

function observeVeth(step: Wanted<'create-veth'>, state: Readonly<Record<Place, NamespaceState>>): Observation {
  const host = state.host.links.get(step.host.name);
  const container = state.sandbox.links.get(step.container.name);
  // An index counts within its own namespace: one of the two alone can match by chance.
  const arePeers = host?.index === container?.peerIndex && container?.index === host?.peerIndex;
  return { kind: step.kind, host, container, arePeers: host !== undefined && container !== undefined && arePeers };
}

function observeRoutes({ route }: Wanted<'add-route'>, { routes, names }: NamespaceState): readonly ObservedRoute[] {
  return routes
    .filter((found) => hasDestination(found, route.destination))
    .map(({ interfaceIndex, gateway, ...found }) => ({
      interface: interfaceIndex === undefined ? undefined : names.get(interfaceIndex),
      gateway: gateway && addressFromBytes(gateway),
      scope: found.scope,
      priority: found.priority,
      table: found.table,
      protocol: found.protocol,
      mtuBytes: found.mtuBytes,
      advertisedMssBytes: found.advertisedMssBytes,
    }));
}

function observeAddresses(step: Wanted<'add-address'>, { addresses, links }: NamespaceState): readonly Cidr[] {
  const index = links.get(step.interface)?.index;
  const { text } = step.address.address;
  return addresses
    .filter(({ interfaceIndex, address }) => interfaceIndex === index && address.address.text === text)
    .map(({ address }) => address);
}
