import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { NodeFacts, RouteFact } from './facts.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import { isInCidr } from './range.ts';

/** Checks the way to pods of other nodes (PW801). */
export function checkTraffic({ api, routes }: NodeFacts): readonly Finding[] {
  if (api.kind === 'unseen') return [skipped('PW801', 'the other Nodes cannot be read')];
  if (routes.kind === 'unseen') return [skipped('PW801', routes.why)];
  const { otherNodes } = api.value;
  if (otherNodes.kind === 'unseen') return [skipped('PW801', otherNodes.why)];
  const wanted = otherNodes.value.flatMap(({ name, podCidrs }) => podCidrs.map((podCidr) => ({ name, podCidr })));
  const missing = wanted.filter(({ podCidr }) => !routes.value.some((route) => leadsTo(route, podCidr)));
  const presentCount = wanted.length - missing.length;
  if (wanted.length === 0) return [passed('PW801', 'no other node is ready')];
  if (missing.length === 0)
    return [passed('PW801', `routes to all ${wanted.length} podCIDRs of ${otherNodes.value.length} other nodes`)];
  // Then the network outside has them, as the routes of a cloud do.
  if (presentCount === 0) return [passed('PW801', 'packets to pods of other nodes leave by the default route')];
  return [
    found('PW801', 'warning', `This node has no route to pods of ${countNodes(missing)}.`, {
      evidence: [
        ...missing.slice(0, 3).map(({ name, podCidr }) => ['no route to', `${formatCidr(podCidr)} (${name})`] as const),
        ['routes', `to ${presentCount} of ${wanted.length} podCIDRs`],
      ],
    }),
  ];
}

function countNodes(missing: readonly { readonly name: string }[]): string {
  const { size } = new Set(missing.map(({ name }) => name));
  return size === 1 ? (missing[0]?.name ?? '') : `${size} nodes`;
}

/** True for a route to a network, to a larger one around it, and to a part of it. */
function leadsTo({ destination, isDefault }: RouteFact, network: Cidr): boolean {
  return !isDefault && (isInCidr(network.address, destination) || isInCidr(destination.address, network));
}
