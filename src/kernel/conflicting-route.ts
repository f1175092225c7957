import type { Route } from '../plan/step.ts';
import { decodeLink, getLinkRequest } from '../netlink/link-message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { decodeRoute, dumpRoutesRequest, conflictsWith, isSameRoute } from '../netlink/route-message.ts';

/** Why the kernel said that a route exists: it does, just so; or another does, whose interface is `owner` if it has one. */
export type ConflictingRoute =
  | { readonly kind: 'identical' }
  | { readonly kind: 'other'; readonly owner: string | undefined };

/** Looks for what made the kernel refuse a route with EEXIST. Reads all routes of the family: only for this rare case. */
export async function findConflictingRoute(
  socket: NetlinkSocket,
  interfaceIndex: number,
  wanted: Route,
): Promise<ConflictingRoute> {
  const [dump] = await socket.exchange([dumpRoutesRequest(wanted.destination.address.family)]);
  const existing = (dump?.payloads ?? []).map(decodeRoute).filter((route) => conflictsWith(route, wanted));
  if (existing.some((route) => isSameRoute(route, interfaceIndex, wanted))) return { kind: 'identical' };
  const ownerIndex = existing.find((route) => route.interfaceIndex !== undefined)?.interfaceIndex;
  if (ownerIndex === undefined) return { kind: 'other', owner: undefined };
  const [link] = await socket.exchange([getLinkRequest(ownerIndex)]);
  const [payload] = link?.payloads ?? [];
  return { kind: 'other', owner: payload && decodeLink(payload).name };
}
