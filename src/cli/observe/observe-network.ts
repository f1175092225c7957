import { addressFromBytes, type IpAddress } from '../../address/ip-address.ts';
import type { LinkFact, RouteFact } from '../../diagnosis/facts.ts';
import { decodeAddress, dumpAddressesRequest } from '../../netlink/address-message.ts';
import { openEventLoopTransport } from '../../netlink/event-loop-transport.ts';
import { decodeLink, dumpLinksRequest } from '../../netlink/link-message.ts';
import type { NetlinkRequest } from '../../netlink/message.ts';
import { decodeRoute, dumpRoutesRequest, type KernelRoute } from '../../netlink/route-message.ts';
import { NetlinkSocket } from '../../netlink/socket.ts';
import { KernelError } from '../../system/kernel-error.ts';

/** The interfaces and unicast routes of the network namespace of this process. */
export interface ObservedNetwork {
  readonly links: readonly LinkFact[];
  readonly routes: readonly RouteFact[];
}

/**
 * Reads all interfaces with their addresses, and all routes.
 *
 * @throws {KernelError}
 */
export async function observeNetwork(): Promise<ObservedNetwork> {
  const { RawNetlinkSocket } = await import('netlink/dist/raw.js');
  using socket = new NetlinkSocket((listener) => openEventLoopTransport(RawNetlinkSocket, listener));
  // One dump after the other: a socket can have one at a time.
  const interfaces = (await dump(socket, dumpLinksRequest(), 'interfaces')).map(decodeLink);
  const addresses = (await dump(socket, dumpAddressesRequest('all'), 'addresses')).map(decodeAddress);
  const names = new Map(interfaces.map(({ index, name }) => [index, name]));
  const routes: RouteFact[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const decoded = (await dump(socket, dumpRoutesRequest(family), 'routes')).map(decodeRoute);
    routes.push(...decoded.filter(({ isUnicast }) => isUnicast).map((route) => routeFact(route, names)));
  }
  const addressesOf = (index: number): readonly IpAddress[] =>
    addresses.filter(({ interfaceIndex }) => interfaceIndex === index).map(({ address }) => address.address);
  return {
    links: interfaces.map(({ index, name, mtuBytes, alias }) => ({
      index,
      name,
      mtuBytes,
      alias,
      addresses: addressesOf(index),
    })),
    routes,
  };
}

function routeFact(route: KernelRoute, names: ReadonlyMap<number, string>): RouteFact {
  const { destination, prefixLength, interfaceIndex } = route;
  return {
    destination: { address: addressFromBytes(destination), prefixLength },
    interfaceName: interfaceIndex === undefined ? undefined : names.get(interfaceIndex),
    isDefault: prefixLength === 0,
    // A route by several gateways has several interfaces, too.
    hasGateway: route.gateway !== undefined || interfaceIndex === undefined,
  };
}

async function dump(socket: NetlinkSocket, request: NetlinkRequest, what: string): Promise<readonly Uint8Array[]> {
  const [reply] = await socket.exchange([request]);
  // A kernel without IPv6 has no routes of it.
  if (reply?.errnoName === 'EOPNOTSUPP' || reply?.errnoName === 'EAFNOSUPPORT') return [];
  if (reply === undefined || reply.errnoName !== undefined) {
    throw new KernelError('list', what, reply?.errnoName ?? 'ENODATA');
  }
  return reply.payloads;
}
