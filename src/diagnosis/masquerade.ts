import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { NodeFacts } from './facts.ts';
import type { Evidence } from './finding.ts';
import { commonNetwork } from './range.ts';

/** How packets of pods that leave the cluster get the address of the node. */
export interface Masquerade {
  readonly commands: readonly string[];
  readonly evidence: readonly Evidence[];
}

/**
 * Plans the rules that masquerade packets from the podCIDRs of this node to destinations outside the podCIDRs of all known
 * nodes.
 *
 * @param family of the destination that does not answer
 */
export function planMasquerade({ addresses, api, packets }: NodeFacts, family: 'ipv4' | 'ipv6'): Masquerade {
  const isOfFamily = ({ address }: Cidr) => address.family === family;
  const own = addresses.kind === 'seen' ? addresses.value.ranges.filter(isOfFamily) : [];
  const others = api.kind === 'seen' && api.value.otherNodes.kind === 'seen' ? api.value.otherNodes.value : undefined;
  const cluster = commonNetwork([...own, ...(others ?? []).flatMap(({ podCidrs }) => podCidrs.filter(isOfFamily))]);
  const chains = packets.firewall.kind === 'seen' ? packets.firewall.value : [];
  const hasIptables = packets.firewall.kind === 'unseen' || chains.some(({ program }) => program !== 'nft');
  const note =
    'packets to pods of other nodes are masqueraded, too, because those nodes are not known: use --kubeconfig FILE';
  return {
    commands:
      cluster === undefined
        ? []
        : own.flatMap((podCidr) =>
            hasIptables ? [iptablesCommand(family, podCidr, cluster)] : nftCommands(family, podCidr, cluster),
          ),
    evidence: others === undefined && cluster !== undefined ? [['note', note]] : [],
  };
}

function iptablesCommand(family: 'ipv4' | 'ipv6', podCidr: Cidr, cluster: Cidr): string {
  const program = family === 'ipv4' ? 'iptables' : 'ip6tables';
  return `${program} -t nat -A POSTROUTING -s ${formatCidr(podCidr)} ! -d ${formatCidr(cluster)} -j MASQUERADE`;
}

function nftCommands(family: 'ipv4' | 'ipv6', podCidr: Cidr, cluster: Cidr): readonly string[] {
  const ip = family === 'ipv4' ? 'ip' : 'ip6';
  const chain = `${ip} podwire_egress postrouting`;
  return [
    `nft add table ${ip} podwire_egress`,
    `nft add chain ${chain} '{ type nat hook postrouting priority 100 ; }'`,
    `nft add rule ${chain} ${ip} saddr ${formatCidr(podCidr)} ${ip} daddr != ${formatCidr(cluster)} masquerade`,
  ];
}
