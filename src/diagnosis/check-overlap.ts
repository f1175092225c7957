import { formatCidr, type Cidr } from '../address/cidr.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { LinkFact, NodeFacts, RouteFact } from './facts.ts';
import { isInCidr } from './range.ts';

// Tunnels and bridges of pod networks have an address of the podCIDR on purpose, and routes to larger parts of it.
const OWN_TUNNELS = /^(tunl|vxlan\.calico|wireguard\.cali|wg-v6\.cali|cilium|flannel|cni)/;

/** True for the interfaces of pods, and for those that an agent or another pod network creates. */
export function isOwnInterface(name: string, own: NodeFacts['own']): boolean {
  const prefix = own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali';
  return name.startsWith(prefix) || OWN_TUNNELS.test(name);
}

/** Checks whether an interface, a network or a route of the node overlaps the podCIDR (PW303). */
export function checkOverlap(facts: NodeFacts): Finding {
  const { addresses, links, routes, own } = facts;
  if (addresses.kind === 'unseen') return skipped('PW303', addresses.why);
  if (links.kind === 'unseen') return skipped('PW303', links.why);
  const { ranges } = addresses.value;
  const conflicts = links.value
    .filter(({ name }) => !isOwnInterface(name, own))
    .flatMap(({ name, addresses: ofLink }) =>
      ofLink
        .filter((address) => ranges.some((range) => isInCidr(address, range)))
        .map((address) => ({ name, address })),
    );
  if (conflicts.length > 0) {
    return found('PW303', 'failed', 'An interface of this node has an address in the podCIDR.', {
      evidence: conflicts.map(({ name, address }) => ['interface', `${name} has ${address.text}`]),
    });
  }
  const around = (routes.kind === 'seen' ? routes.value : []).filter(
    ({ destination, interfaceName = '', isDefault }) =>
      !isDefault && !isOwnInterface(interfaceName, own) && ranges.some((range) => contains(destination, range)),
  );
  const connected = around.filter((route) => isConnected(route, links.value));
  if (connected.length > 0) {
    return found('PW303', 'warning', 'The podCIDR is a part of a network that this node is in.', {
      evidence: connected.map((route) => ['network', describeRoute(route)]),
    });
  }
  const beyond = around.filter((route) => !mayLeadToPods(route, facts));
  if (beyond.length > 0) {
    return found('PW303', 'warning', 'The podCIDR is a part of a network that a route of this node leads to.', {
      evidence: [
        ...beyond.map((route) => ['route', describeRoute(route)] as const),
        ['effect', 'a host of that network cannot be reached from here while a pod has its address'],
      ],
    });
  }
  return passed('PW303', 'no interface has an address in the podCIDR, and no other network contains it');
}

/** True if one network is a part of a larger one. */
function contains(larger: Cidr, part: Cidr): boolean {
  return larger.prefixLength < part.prefixLength && isInCidr(part.address, larger);
}

/** True for the network of an interface's own address. Its hosts expect pods to answer their ARP requests. */
function isConnected({ destination, interfaceName, hasGateway }: RouteFact, links: readonly LinkFact[]): boolean {
  const link = links.find(({ name }) => name === interfaceName);
  return !hasGateway && link !== undefined && link.addresses.some((address) => isInCidr(address, destination));
}

/**
 * True if pods of another Node are reached by this route, as in clouds that route podCIDRs: then it is a part of the pod
 * network. It is not if each of the other Nodes has its own route.
 */
function mayLeadToPods({ destination }: RouteFact, { api, routes }: NodeFacts): boolean {
  if (api.kind === 'unseen' || api.value.otherNodes.kind === 'unseen' || routes.kind === 'unseen') return true;
  const podCidrs = api.value.otherNodes.value.flatMap((node) => node.podCidrs);
  return podCidrs.some(
    (podCidr) =>
      isInCidr(podCidr.address, destination) &&
      !routes.value.some(
        (route) =>
          route.destination.prefixLength > destination.prefixLength && isInCidr(podCidr.address, route.destination),
      ),
  );
}

function describeRoute({ destination, interfaceName, hasGateway }: RouteFact): string {
  const device = interfaceName === undefined ? '' : ` dev ${interfaceName}`;
  return `${formatCidr(destination)}${device}${hasGateway ? ', by a router' : ''}`;
}
