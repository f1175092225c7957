/** A chain of a firewall that forwarded packets go through, and the chains that it can jump to. */
export interface ForwardChain {
  /** The program that changes it. */
  readonly program: 'iptables' | 'ip6tables' | 'iptables-legacy' | 'nft';
  /** `ip`, `ip6` or `inet`. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: 'accept' | 'drop';
  readonly chains: ReadonlyMap<string, readonly ForwardRule[]>;
}

/** A rule, reduced to what matters for packets of pods. */
export interface ForwardRule {
  /** The name of the incoming interface that it matches; `cali*` for all that begin so. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** `never`: it matches only packets that no pod begins a connection with. `sometimes`: it has further conditions. */
  readonly applies: 'always' | 'sometimes' | 'never';
  readonly verdict: 'accept' | 'drop' | 'continue' | { readonly jump: string };
}

/** The direction of a packet that begins a connection. */
const DIRECTIONS = ['from pods', 'to pods'] as const;
type Direction = (typeof DIRECTIONS)[number];

/**
 * The directions in which a chain drops every packet that begins a connection of a pod. A rule with further conditions
 * counts as one that accepts: what it accepts is not known.
 *
 * @param prefix of the host interfaces of pods
 */
export function droppedDirections(chain: ForwardChain, prefix: string): readonly Direction[] {
  return DIRECTIONS.filter((direction) => {
    const end = followRules(chain, chain.name, { direction, prefix, depth: 0 });
    return end === 'continue' ? chain.policy === 'drop' : end === 'drop';
  });
}

interface Packet {
  readonly direction: Direction;
  readonly prefix: string;
  /** Chains can call each other in a circle only in a ruleset that the kernel refuses. */
  readonly depth: number;
}

const MAX_DEPTH = 16;

/** Chains of agents, which decide about the packets of pods themselves. */
const OF_AGENT = /^(cali-|CILIUM_)/;

function followRules(chain: ForwardChain, name: string, packet: Packet): 'accept' | 'drop' | 'continue' {
  if (packet.depth > MAX_DEPTH || OF_AGENT.test(name)) return 'accept';
  for (const rule of chain.chains.get(name) ?? []) {
    const applies = appliesTo(rule, packet);
    if (applies === 'never') continue;
    const end =
      typeof rule.verdict === 'string'
        ? rule.verdict
        : followRules(chain, rule.verdict.jump, { ...packet, depth: packet.depth + 1 });
    if (end === 'accept') return 'accept';
    if (end === 'drop' && applies === 'always') return 'drop';
  }
  return 'continue';
}

function appliesTo({ from, to, applies }: ForwardRule, { direction, prefix }: Packet): ForwardRule['applies'] {
  const [ofPod, other] = direction === 'from pods' ? [from, to] : [to, from];
  if (applies === 'never') return 'never';
  if (ofPod !== undefined && !isOfPod(ofPod, prefix)) return 'never';
  // Packets between two pods of the node are not what a node is for.
  if (other !== undefined && other !== '*' && (NOT_UPLINKS.test(other) || isOfPod(other, prefix))) return 'never';
  // The other interface may be the one that is named, or another.
  return other === undefined ? applies : 'sometimes';
}

/** Interfaces of other programs on the node, whose rules are not about pods. */
const NOT_UPLINKS = /^(lo$|docker|br-|virbr|lxdbr|podman|cni-podman)/;

function isOfPod(pattern: string, prefix: string): boolean {
  const [start = ''] = pattern.split('*');
  return pattern.endsWith('*') ? prefix.startsWith(start) || start.startsWith(prefix) : start.startsWith(prefix);
}
