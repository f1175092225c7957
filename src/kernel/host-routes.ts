import type { IpAddress } from '../address/ip-address.ts';
import { decodeAddress, dumpAddressesRequest } from '../netlink/address-message.ts';
import { RTN_LOCAL, RTN_UNICAST } from '../netlink/constants.ts';
import { decodeLink, getLinkRequest } from '../netlink/link-message.ts';
import { decodeRouteTarget, lookUpRouteRequest } from '../netlink/route-message.ts';
import type { NetlinkReply, NetlinkSocket } from '../netlink/socket.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import { KernelError } from '../system/kernel-error.ts';
import type { Namespace } from './namespace.ts';
import { readSysctl } from './sysctl.ts';

/** An address that an interface of the host has. */
export interface HostAddress {
  readonly address: IpAddress;
  readonly interfaceName: string;
}

/** A pod that is attached to the host: one of its IPv4 addresses, and its host interface. */
export interface AttachedEnd {
  readonly address: IpAddress;
  readonly hostInterface: Pick<ObservedInterface, 'index' | 'name'>;
}

/**
 * Finds an address that an interface of the host has among `addresses`, whether the interface is up or not. It takes one
 * dump, of which only the addresses that match are decoded: a node with thousands of Services can have thousands.
 *
 * @throws {KernelError}
 */
export async function findHostAddress(
  socket: NetlinkSocket,
  addresses: readonly IpAddress[],
): Promise<HostAddress | undefined> {
  const find = (payload: Uint8Array): IpAddress | undefined => {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const candidates = addresses.filter((address) => bytes.includes(Buffer.from(address.bytes)));
    return candidates.find(({ text }) => text === decodeAddress(payload).address.address.text);
  };
  const request = {
    ...dumpAddressesRequest('all'),
    openFilter: () => (payload: Uint8Array) => find(payload) !== undefined,
  };
  const [payload] = payloadsOf(await socket.exchange([request]), 'addresses (host)');
  const address = payload && find(payload);
  if (payload === undefined || address === undefined) return undefined;
  const { interfaceIndex } = decodeAddress(payload);
  const [link] = payloadsOf(
    await socket.exchange([getLinkRequest(interfaceIndex)]),
    `interface ${interfaceIndex} (host)`,
  );
  return link && { address, interfaceName: decodeLink(link).name };
}

/**
 * Why the host does not answer ARP requests for the gateway of its pods, which no interface has. The kernel answers as a
 * proxy, and only if it would forward packets for the gateway to another interface than the pod's.
 *
 * @param attached the pod that asks, or `undefined` for pods in general
 * @returns undefined if the host answers, or if the kernel does not say
 * @see linux/net/ipv4/arp.c, arp_process
 */
export async function findGatewayProblem(
  host: Namespace,
  gateway: IpAddress,
  attached: AttachedEnd | undefined,
): Promise<string | undefined> {
  const index = attached?.hostInterface.index;
  const arriving = attached && { source: attached.address, interfaceIndex: attached.hostInterface.index };
  const [reply] = await host.socket.exchange([lookUpRouteRequest(gateway, arriving)]);
  const target = targetOf(reply);
  if (target?.type === RTN_LOCAL) return host.run(() => ignoredAddress(gateway, attached));
  if (target?.type === RTN_UNICAST && target.interfaceIndex !== index) return undefined;
  const errnoName = reply?.errnoName;
  if (target === undefined && (errnoName === undefined || !NO_ROUTE.has(errnoName))) return undefined;
  const { text } = gateway;
  return (
    `pods have no IPv4 connectivity: this node does not answer ARP requests for their gateway ${text}, because it has ` +
    `no route to it through another interface (${errnoName ?? 'only the one of the pod'}); ` +
    `run "ip route add ${text}/32 dev lo" at each boot, or give the node a default route`
  );
}

/** The errors of a lookup without a usable route: none, unreachable, blackhole, prohibit, and a wrong source address. */
const NO_ROUTE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EINVAL', 'EACCES', 'EXDEV']);

// If an interface has the address, arp_ignore decides: each value but 0 limits the answers to the interface that has it.
function ignoredAddress(gateway: IpAddress, attached: AttachedEnd | undefined): string | undefined {
  const names = ['all', attached?.hostInterface.name ?? 'default'];
  const values = names.map((name) => readSysctl({ in: 'host', key: `net/ipv4/conf/${name}/arp_ignore` }) ?? '0');
  const value = Math.max(...values.map(Number));
  if (value === 0) return undefined;
  return (
    `pods have no IPv4 connectivity: an interface of this node has the address ${gateway.text}, and arp_ignore is ` +
    `${value}, so the node does not answer ARP requests for it; remove this address from the interface and run ` +
    `"ip route add ${gateway.text}/32 dev lo", or set net.ipv4.conf.all.arp_ignore to 0`
  );
}

function targetOf(reply: NetlinkReply | undefined): ReturnType<typeof decodeRouteTarget> | undefined {
  const [payload] = reply?.payloads ?? [];
  return payload && decodeRouteTarget(payload);
}

function payloadsOf([reply]: readonly NetlinkReply[], what: string): readonly Uint8Array[] {
  if (reply === undefined || reply.errnoName !== undefined) {
    throw new KernelError('read the', what, reply?.errnoName ?? 'ENODATA');
  }
  return reply.payloads;
}
