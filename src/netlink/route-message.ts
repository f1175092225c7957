import type { Cidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import type { Route, Step } from '../plan/step.ts';
import {
  decodeAttributes,
  decodeUint32,
  encodePayload,
  malformed,
  type Attribute,
  type NetlinkRequest,
} from './message.ts';
import { AF, NLM_F, RT_SCOPE, RT_TABLE, RTA, RTAX, RTM, RTN_UNICAST, RTPROT_BOOT } from './constants.ts';

/** A route as the kernel has it, as far as two routes with one destination can differ. */
export interface KernelRoute {
  readonly isIpv6: boolean;
  /** Not `blackhole` and the like, and not to an address of this namespace. */
  readonly isUnicast: boolean;
  readonly prefixLength: number;
  /** As many bytes as the family has, zeros for the default route. */
  readonly destination: Uint8Array;
  readonly table: number;
  readonly priority: number;
  readonly scope: number;
  readonly protocol: number;
  readonly gateway: Uint8Array | undefined;
  /** Undefined for one of several next hops and for one without an interface, such as `blackhole`. */
  readonly interfaceIndex: number | undefined;
  readonly mtuBytes: number | undefined;
  readonly advertisedMssBytes: number | undefined;
}

/** struct rtmsg */
const HEADER_BYTES = 12;

/** Adds a route. Where one of this destination and priority exists it fails, or comes behind that one unless it is the same. */
export function addRouteRequest(
  interfaceIndex: number,
  route: Route,
  whenTaken: Extract<Step, { kind: 'add-route' }>['whenTaken'] = 'fail',
): NetlinkRequest {
  const { destination, gateway } = route;
  const metrics: readonly Attribute[] = [
    ...optional(RTAX.MTU, route.mtuBytes),
    ...optional(RTAX.ADVMSS, route.advertisedMssBytes),
  ];
  const table = tableOf(route);
  const header = routeHeader({
    family: destination.address.family,
    prefixLength: destination.prefixLength,
    table: table < 256 ? table : RT_TABLE.UNSPEC, // the header has 8 bits for it
    scope: scopeOf(route),
  });
  const payload = encodePayload(header, [
    ...(destination.prefixLength === 0 ? [] : [[RTA.DST, destination.address.bytes] as const]),
    ...(gateway === undefined ? [] : [[RTA.GATEWAY, gateway.bytes] as const]),
    [RTA.OIF, interfaceIndex],
    ...optional(RTA.PRIORITY, route.priority),
    ...(table < 256 ? [] : optional(RTA.TABLE, table)),
    ...(metrics.length === 0 ? [] : [[RTA.METRICS, metrics] as const]),
  ]);
  const flags = NLM_F.CREATE | (whenTaken === 'append' ? NLM_F.APPEND : NLM_F.EXCL);
  return { type: RTM.NEWROUTE, flags, payload };
}

/** Every route of a family: the kernel has no question for the one route with a given destination. */
export function dumpRoutesRequest(family: Family): NetlinkRequest {
  const header = routeHeader({ family, prefixLength: 0, table: 0, scope: 0 });
  return { type: RTM.GETROUTE, flags: NLM_F.DUMP, payload: header };
}

/**
 * One answer to {@link dumpRoutesRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeRoute(payload: Uint8Array): KernelRoute {
  const attributes = decodeAttributes(payload, HEADER_BYTES);
  const header = Buffer.from(payload.buffer, payload.byteOffset, HEADER_BYTES);
  const isIpv6 = header.readUInt8(0) === AF.INET6;
  const metrics = attributes.get(RTA.METRICS);
  const metricValues = metrics === undefined ? undefined : decodeAttributes(metrics, 0);
  const destination = attributes.get(RTA.DST) ?? Buffer.alloc(isIpv6 ? 16 : 4);
  const gateway = attributes.get(RTA.GATEWAY);
  if (destination.length !== (isIpv6 ? 16 : 4)) throw malformed('destination');
  if (gateway !== undefined && gateway.length !== destination.length) throw malformed('gateway');
  return {
    isIpv6,
    isUnicast: header.readUInt8(7) === RTN_UNICAST,
    prefixLength: header.readUInt8(1),
    destination,
    table: decodeUint32(attributes.get(RTA.TABLE)) ?? header.readUInt8(4),
    priority: decodeUint32(attributes.get(RTA.PRIORITY)) ?? 0,
    scope: header.readUInt8(6),
    protocol: header.readUInt8(5),
    gateway,
    interfaceIndex: decodeUint32(attributes.get(RTA.OIF)),
    mtuBytes: decodeUint32(metricValues?.get(RTAX.MTU)),
    advertisedMssBytes: decodeUint32(metricValues?.get(RTAX.ADVMSS)),
  };
}

/** Whether a route is to just this destination, not to a network around it. */
export function hasDestination(existing: KernelRoute, { address, prefixLength }: Cidr): boolean {
  return existing.prefixLength === prefixLength && areEqual(existing.destination, address.bytes);
}

/** The prefix length of an answer that is not decoded yet; undefined for one of another family (an old kernel sends all). */
export function peekPrefixLength(payload: Uint8Array, family: Family): number | undefined {
  return payload[0] === familyNumber(family) ? payload[1] : undefined;
}

/** Whether the kernel would refuse `wanted` because of `existing`: one table, destination and priority. */
export function conflictsWith(existing: KernelRoute, wanted: Route): boolean {
  const isIpv6 = wanted.destination.address.family === 'ipv6';
  return (
    existing.isIpv6 === isIpv6 &&
    existing.table === tableOf(wanted) &&
    existing.priority === (wanted.priority || (isIpv6 ? DEFAULT_IPV6_PRIORITY : 0)) &&
    hasDestination(existing, wanted.destination)
  );
}

/** Whether a packet would go the same way. */
export function isSameRoute(existing: KernelRoute, interfaceIndex: number, wanted: Route): boolean {
  const gateway = wanted.gateway?.bytes;
  return (
    conflictsWith(existing, wanted) &&
    existing.interfaceIndex === interfaceIndex &&
    (existing.isIpv6 || existing.scope === scopeOf(wanted)) && // IPv6 routes have no scope
    (gateway === undefined
      ? existing.gateway === undefined
      : existing.gateway !== undefined && areEqual(existing.gateway, gateway)) &&
    existing.mtuBytes === wanted.mtuBytes &&
    existing.advertisedMssBytes === wanted.advertisedMssBytes
  );
}

/** IP6_RT_PRIO_USER, which the kernel takes for 0. */
const DEFAULT_IPV6_PRIORITY = 1024;

function routeHeader(fields: { family: Family; prefixLength: number; table: number; scope: number }): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(fields.family), 0);
  header.writeUInt8(fields.prefixLength, 1);
  header.writeUInt8(fields.table, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(fields.scope, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  return header;
}

function familyNumber(family: Family): number {
  return family === 'ipv6' ? AF.INET6 : AF.INET;
}

function tableOf({ table }: Route): number {
  return table || RT_TABLE.MAIN;
}

function scopeOf({ scope }: Route): number {
  if (typeof scope === 'number') return scope;
  return scope === 'link' ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
}

function optional(type: number, value: number | undefined): readonly Attribute[] {
  return value === undefined ? [] : [[type, value]];
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
