import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { OtherNode } from './api-facts.ts';
import type { NodeFacts, RouteFact } from './facts.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import { isInCidr } from './range.ts';

/** Checks the way to pods of other nodes (PW801). */
export function checkTraffic({ api, routes, processes }: NodeFacts): readonly Finding[] {
  if (api.kind === 'unseen') return [skipped('PW801', 'the other Nodes cannot be read')];
  if (routes.kind === 'unseen') return [skipped('PW801', routes.why)];
  const { otherNodes } = api.value;
  if (otherNodes.kind === 'unseen') return [skipped('PW801', otherNodes.why)];
  const expected = otherNodes.value.flatMap((node) => node.podCidrs.map((podCidr) => ({ node, podCidr })));
  const missing = expected.filter(({ podCidr }) => !routes.value.some((route) => leadsTo(route, podCidr)));
  const presentCount = expected.length - missing.length;
  if (expected.length === 0) return [passed('PW801', 'no other node is ready')];
  if (missing.length === 0)
    return [passed('PW801', `routes to all ${expected.length} podCIDRs of ${otherNodes.value.length} other nodes`)];
  if (presentCount === 0 && !processes.hasBird) {
    return [
      skipped(
        'PW801',
        'this node has no route to any podCIDR of another node: then the network outside needs them, which cannot be seen from here',
      ),
    ];
  }
  return [
    found('PW801', 'warning', `This node has no route to pods of ${countNodes(missing)}.`, {
      evidence: [
        ...missing
          .slice(0, 3)
          .map(({ node, podCidr }) => ['no route to', `${formatCidr(podCidr)} (${node.name})`] as const),
        ['routes', `to ${presentCount} of ${expected.length} podCIDRs`],
        ['BIRD', processes.hasBird ? 'runs on this node, and distributes routes' : undefined],
      ],
      fix: missing
        .slice(0, MAX_COMMANDS)
        .flatMap(
          (item) => routeCommand(item, routes.value) ?? (processes.hasBird ? 'birdc show protocols' : 'ip route'),
        )
        .filter(isFirst),
    }),
  ];
}

interface Missing {
  readonly node: OtherNode;
  readonly podCidr: Cidr;
}

/** More commands do not fit on a screen. */
const MAX_COMMANDS = 5;

function isFirst(command: string, index: number, commands: readonly string[]): boolean {
  return commands.indexOf(command) === index;
}

/** The command that adds a route by the address of the other node, if this node reaches that without a gateway. */
function routeCommand({ node, podCidr }: Missing, routes: readonly RouteFact[]): string | undefined {
  const { family } = podCidr.address;
  const gateway = node.addresses.find((address) => address.family === family && isOnLink(address, routes));
  if (gateway === undefined) return undefined;
  return `ip${family === 'ipv6' ? ' -6' : ''} route add ${formatCidr(podCidr)} via ${gateway.text}`;
}

function isOnLink(address: IpAddress, routes: readonly RouteFact[]): boolean {
  const [best] = routes
    .filter(({ destination }) => isInCidr(address, destination))
    .toSorted((one, other) => other.destination.prefixLength - one.destination.prefixLength);
  return best !== undefined && !best.isDefault && !best.hasGateway;
}

function countNodes(missing: readonly Missing[]): string {
  const { size } = new Set(missing.map(({ node }) => node.name));
  return size === 1 ? (missing[0]?.node.name ?? '') : `${size} nodes`;
}

/** True for a route to a network, to a larger one around it, and to a part of it. */
function leadsTo({ destination, isDefault }: RouteFact, network: Cidr): boolean {
  return !isDefault && (isInCidr(network.address, destination) || isInCidr(destination.address, network));
}
