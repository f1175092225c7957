import type { ObservedInterface } from '../plan/observation.ts';
import type { Route } from '../plan/step.ts';
import { decodeLink, getLinkRequest } from '../netlink/link-message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import {
  decodeRoute,
  dumpRoutesRequest,
  hasDestination,
  peekPrefixLength,
  scopeNumber,
  tableNumber,
  type KernelRoute,
} from '../netlink/route-message.ts';

/**
 * The reason why the kernel refused a route with EEXIST: an identical route exists, or another one with the same table,
 * destination and priority. `owner` is the interface of that other route, if it has one.
 */
export type ConflictingRoute =
  | { readonly kind: 'identical' }
  | { readonly kind: 'other'; readonly owner: ObservedInterface | undefined };

/**
 * Finds the route because of which the kernel refused `planned`. It reads all routes of the family: use it only for
 * EEXIST.
 */
export async function findConflictingRoute(
  socket: NetlinkSocket,
  interfaceIndex: number,
  planned: Route,
): Promise<ConflictingRoute> {
  const { family } = planned.destination.address;
  const isRequested = (payload: Uint8Array): boolean =>
    peekPrefixLength(payload, family) === planned.destination.prefixLength &&
    conflictsWith(decodeRoute(payload), planned);
  const [dump] = await socket.exchange([{ ...dumpRoutesRequest(family), openFilter: () => isRequested }]);
  const existing = (dump?.payloads ?? []).map(decodeRoute);
  if (existing.some((route) => isSameRoute(route, interfaceIndex, planned))) return { kind: 'identical' };
  const ownerIndex = existing.find((route) => route.interfaceIndex !== undefined)?.interfaceIndex;
  if (ownerIndex === undefined) return { kind: 'other', owner: undefined };
  const [link] = await socket.exchange([getLinkRequest(ownerIndex)]);
  const [payload] = link?.payloads ?? [];
  return { kind: 'other', owner: payload && decodeLink(payload) };
}

/** True if the kernel refuses `planned` because of `existing`: both have the same table, destination and priority. */
export function conflictsWith(existing: KernelRoute, planned: Route): boolean {
  const { family } = planned.destination.address;
  return (
    existing.family === family &&
    existing.table === tableNumber(planned) &&
    existing.priority === effectivePriority(planned) &&
    hasDestination(existing, planned.destination)
  );
}

/** The priority that the kernel gives to a planned route. The smallest number wins. */
export function effectivePriority({ priority, destination }: Route): number {
  return priority || (destination.address.family === 'ipv6' ? DEFAULT_IPV6_PRIORITY : 0);
}

/** IP6_RT_PRIO_USER: the priority that the kernel gives to an IPv6 route without one. */
const DEFAULT_IPV6_PRIORITY = 1024;

/** True if `existing` conflicts with `planned` and sends packets the same way. */
export function isSameRoute(existing: KernelRoute, interfaceIndex: number, planned: Route): boolean {
  return (
    conflictsWith(existing, planned) &&
    existing.interfaceIndex === interfaceIndex &&
    (existing.family === 'ipv6' || existing.scope === scopeNumber(planned)) && // IPv6 routes have no scope
    isSameGateway(existing.gateway, planned.gateway?.bytes) &&
    existing.mtuBytes === planned.mtuBytes &&
    existing.advertisedMssBytes === planned.advertisedMssBytes
  );
}

function isSameGateway(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}
