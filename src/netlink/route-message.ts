import type { Cidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { Route, StepOf } from '../plan/step.ts';
import {
  decodeAttributes,
  decodePayload,
  decodeUint32,
  encodePayload,
  familyNumber,
  malformedMessageError,
  optionalAttribute,
  type Attribute,
  type NetlinkRequest,
} from './message.ts';
import { AF, NLM_F, RT_SCOPE, RT_TABLE, RTA, RTAX, RTM, RTN_UNICAST, RTPROT_BOOT } from './constants.ts';

/**
 * A route as the kernel reports it. Its addresses stay bytes, because only few of the routes of a node are ever shown.
 */
export interface KernelRoute {
  readonly family: Family;
  /** False for `blackhole` and the like, and for a route to an address of the namespace itself. */
  readonly isUnicast: boolean;
  readonly prefixLength: number;
  /** As many bytes as an address of the family has; all are zero for the default route. */
  readonly destination: Uint8Array;
  readonly table: number;
  readonly priority: number;
  readonly scope: number;
  readonly protocol: number;
  readonly gateway: Uint8Array | undefined;
  /** Undefined for a route with several next hops, and for one without an interface, such as `blackhole`. */
  readonly interfaceIndex: number | undefined;
  readonly mtuBytes: number | undefined;
  readonly advertisedMssBytes: number | undefined;
}

/** struct rtmsg */
const HEADER_BYTES = 12;

/**
 * The request that adds a route.
 *
 * @param whenTaken what the kernel does with a route that has the same table, destination and priority as another one:
 *   `fail` with EEXIST, `append`, which only fails if the two routes are identical, or `replace` that other one
 *   (`yield` fails: the caller chooses another priority)
 */
export function addRouteRequest(
  interfaceIndex: number,
  route: Route,
  whenTaken: StepOf<'add-route'>['whenTaken'] | 'replace' = 'fail',
): NetlinkRequest {
  const { address, prefixLength } = route.destination;
  const metrics: readonly Attribute[] = [
    ...optionalAttribute(RTAX.MTU, route.mtuBytes),
    ...optionalAttribute(RTAX.ADVMSS, route.advertisedMssBytes),
  ];
  const table = tableNumber(route);
  const fitsHeader = table < 256;
  const header = routeHeader({
    family: address.family,
    prefixLength,
    table: fitsHeader ? table : RT_TABLE.UNSPEC,
    scope: scopeNumber(route),
  });
  const payload = encodePayload(header, [
    ...optionalAttribute(RTA.DST, prefixLength === 0 ? undefined : address.bytes),
    ...optionalAttribute(RTA.GATEWAY, route.gateway?.bytes),
    [RTA.OIF, interfaceIndex],
    ...optionalAttribute(RTA.PRIORITY, route.priority),
    ...optionalAttribute(RTA.TABLE, fitsHeader ? undefined : table),
    ...optionalAttribute(RTA.METRICS, metrics.length === 0 ? undefined : metrics),
  ]);
  return { type: RTM.NEWROUTE, flags: NLM_F.CREATE | WHEN_TAKEN[whenTaken], payload };
}

const WHEN_TAKEN = { fail: NLM_F.EXCL, yield: NLM_F.EXCL, append: NLM_F.APPEND, replace: NLM_F.REPLACE } as const;

/** The request for all routes of a family: there is no request for the routes to one given destination. */
export function dumpRoutesRequest(family: Family): NetlinkRequest {
  return { type: RTM.GETROUTE, flags: NLM_F.DUMP, payload: routeHeader({ family }) };
}

/**
 * The request for the route that the kernel would choose for a packet to `destination`: one that this namespace sends,
 * or one that arrives at an interface from `source`. It fails with ENETUNREACH if there is none.
 */
export function lookUpRouteRequest(
  destination: IpAddress,
  arriving?: { readonly source: IpAddress; readonly interfaceIndex: number },
): NetlinkRequest {
  const { family, bytes } = destination;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(family), 0);
  header.writeUInt8(bytes.length * 8, 1);
  if (arriving !== undefined) header.writeUInt8(arriving.source.bytes.length * 8, 2);
  const payload = encodePayload(header, [
    [RTA.DST, bytes],
    ...optionalAttribute(RTA.SRC, arriving?.source.bytes),
    ...optionalAttribute(RTA.IIF, arriving?.interfaceIndex),
  ]);
  return { type: RTM.GETROUTE, flags: 0, payload };
}

/**
 * Decodes the reply to {@link lookUpRouteRequest}: the type of the route (RTN_UNICAST, RTN_LOCAL) and its interface.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeRouteTarget(payload: Uint8Array): {
  readonly type: number;
  readonly interfaceIndex: number | undefined;
} {
  const { header, attributes } = decodePayload(payload, HEADER_BYTES);
  return { type: header.readUInt8(7), interfaceIndex: decodeUint32(attributes.get(RTA.OIF)) };
}

/**
 * Decodes one payload of the reply to {@link dumpRoutesRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeRoute(payload: Uint8Array): KernelRoute {
  const { header, attributes } = decodePayload(payload, HEADER_BYTES);
  const family = header.readUInt8(0) === AF.INET6 ? 'ipv6' : 'ipv4';
  const addressLength = family === 'ipv6' ? 16 : 4;
  const destination = attributes.get(RTA.DST) ?? Buffer.alloc(addressLength);
  const gateway = attributes.get(RTA.GATEWAY);
  if (destination.length !== addressLength) throw malformedMessageError('destination');
  if (gateway !== undefined && gateway.length !== addressLength) throw malformedMessageError('gateway');
  const encodedMetrics = attributes.get(RTA.METRICS);
  const metrics = encodedMetrics && decodeAttributes(encodedMetrics);
  return {
    family,
    isUnicast: header.readUInt8(7) === RTN_UNICAST,
    prefixLength: header.readUInt8(1),
    destination,
    table: decodeUint32(attributes.get(RTA.TABLE)) ?? header.readUInt8(4),
    priority: decodeUint32(attributes.get(RTA.PRIORITY)) ?? 0,
    scope: header.readUInt8(6),
    protocol: header.readUInt8(5),
    gateway,
    interfaceIndex: decodeUint32(attributes.get(RTA.OIF)),
    mtuBytes: decodeUint32(metrics?.get(RTAX.MTU)),
    advertisedMssBytes: decodeUint32(metrics?.get(RTAX.ADVMSS)),
  };
}

/**
 * Reads the prefix length of a payload without decoding the rest.
 *
 * @returns undefined for a route of another family: old kernels ignore the family of the request
 */
export function peekPrefixLength(payload: Uint8Array, family: Family): number | undefined {
  return payload[0] === familyNumber(family) ? payload[1] : undefined;
}

/** True if a route leads to exactly this destination, and not to a network that contains it. */
export function hasDestination(route: KernelRoute, { address, prefixLength }: Cidr): boolean {
  return route.prefixLength === prefixLength && Buffer.compare(route.destination, address.bytes) === 0;
}

/** The number of the table that a route is added to. */
export function tableNumber({ table }: Pick<Route, 'table'>): number {
  return table || RT_TABLE.MAIN;
}

/** The number of the scope that a route is added with. */
export function scopeNumber({ scope }: Pick<Route, 'scope'>): number {
  if (typeof scope === 'number') return scope;
  return scope === 'link' ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
}

function routeHeader({
  family,
  prefixLength = 0,
  table = RT_TABLE.UNSPEC,
  scope = RT_SCOPE.UNIVERSE,
}: {
  family: Family;
  prefixLength?: number;
  table?: number;
  scope?: number;
}): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(family), 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(table, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(scope, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  return header;
}
