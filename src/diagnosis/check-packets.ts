import { quoteForShell } from './check-runtime.ts';
import { checkZones } from './check-zones.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { NodeFacts } from './facts.ts';
import { droppedDirections, type ForwardChain } from './forward-rules.ts';
import { formatMoment } from './format-time.ts';

/** Checks whether the kernel and firewalls let packets of pods pass (PW503, PW505, PW507 to PW509). */
export function checkPackets(facts: NodeFacts): readonly Finding[] {
  const [forwarding, daemon] = checkForwarding(facts);
  return [forwarding, checkConnections(facts), checkReversePath(facts), daemon, checkHairpin(facts)];
}

const FORWARDING = { ipv4: 'net/ipv4/ip_forward', ipv6: 'net/ipv6/conf/all/forwarding' } as const;

function checkForwarding(facts: NodeFacts): readonly [Finding, Finding] {
  const { packets, addresses } = facts;
  const { firewall } = packets;
  const families =
    addresses.kind === 'seen' ? addresses.value.ranges.map(({ address }) => address.family) : ['ipv4' as const];
  const dropping =
    firewall.kind === 'unseen'
      ? []
      : firewall.value.filter(
          (chain) =>
            families.some((family) => sees(chain, family)) && droppedDirections(chain, prefixOf(facts.own)).length > 0,
        );
  const fromDaemon = dropping.find(isOfDaemon);
  const daemon = checkZones(facts, {
    isActive: firewall.kind === 'seen' && firewall.value.some(isOfDaemon),
    rejects: fromDaemon && describeChain(fromDaemon, prefixOf(facts.own)),
  });
  const off = [...new Set(families)].map((family) => FORWARDING[family]).filter((key) => packets.sysctls[key] === '0');
  if (off.length > 0) {
    const names = off.map((key) => key.replaceAll('/', '.'));
    const finding = found('PW503', 'failed', 'The node does not forward packets: pods reach only this node.', {
      evidence: names.map((name) => ['setting', `${name} is 0`]),
      fix: names.map((name) => `sysctl -w ${name}=1`),
    });
    return [finding, daemon];
  }
  const others = dropping.filter((chain) => !isOfDaemon(chain));
  if (others.length > 0) {
    const finding = found('PW503', 'failed', 'A firewall of this node drops the packets of pods.', {
      evidence: others.map((chain) => ['chain', describeChain(chain, prefixOf(facts.own))]),
      fix: others.flatMap((chain) => acceptCommands(chain, prefixOf(facts.own))),
    });
    return [finding, daemon];
  }
  if (firewall.kind === 'unseen') return [passed('PW503', `forwarding is on; not checked: ${firewall.why}`), daemon];
  return [passed('PW503', 'forwarding is on, and no firewall drops all packets of pods'), daemon];
}

function sees({ family }: ForwardChain, of: 'ipv4' | 'ipv6'): boolean {
  return family === 'inet' || family === (of === 'ipv4' ? 'ip' : 'ip6');
}

function describeChain(chain: ForwardChain, prefix: string): string {
  const name = `${chain.name} of table ${chain.program === 'nft' ? `${chain.family} ` : ''}${chain.table}`;
  const cause = chain.policy === 'drop' ? 'has the policy drop' : 'ends with a rule that drops';
  return `${name} (${chain.program}) ${cause}, and no rule accepts packets ${droppedDirections(chain, prefix).join(' or ')}`;
}

function acceptCommands({ program, family, table, name }: ForwardChain, prefix: string): readonly string[] {
  return program === 'nft'
    ? ['iifname', 'oifname'].map((key) => `nft insert rule ${family} ${table} ${name} ${key} '"${prefix}*"' accept`)
    : ['-i', '-o'].map((flag) => `${program} -I ${name} ${flag} ${prefix}+ -j ACCEPT`);
}

// The chains of firewalld, in its table of nft and among those of iptables.
function isOfDaemon({ program, table, chains }: ForwardChain): boolean {
  return program === 'nft' ? table === 'firewalld' : chains.has('FWDI_ZONES') || chains.has('FORWARD_IN_ZONES');
}

function prefixOf(own: NodeFacts['own']): string {
  return own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali';
}

const NEARLY_FULL = 0.9;
/** What the kernel logged earlier may be over. */
const RECENT_DROPS_MS = 15 * 60_000;

function checkConnections({ packets: { sysctls, connectionDrops }, nowMs }: NodeFacts): Finding {
  const count = Number(sysctls['net/netfilter/nf_conntrack_count']);
  const max = Number(sysctls['net/netfilter/nf_conntrack_max']);
  if (!(max > 0)) return passed('PW505', 'connections are not tracked');
  const drops = connectionDrops.kind === 'seen' ? connectionDrops.value : undefined;
  const hasDropped = drops !== undefined && nowMs - drops.lastMs < RECENT_DROPS_MS;
  const part = Math.round((100 * count) / max);
  // After it was made larger, what the kernel has logged is over.
  if (count < (hasDropped ? max / 2 : max * NEARLY_FULL)) {
    return passed('PW505', `the connection table is ${part} % full`);
  }
  return found('PW505', hasDropped ? 'failed' : 'warning', `The connection table is ${part} % full.`, {
    evidence: [
      ['entries', `${count} of ${max}`],
      ['kernel', hasDropped ? `"table full, dropping packet", ${formatMoment(drops.lastMs, nowMs)}` : undefined],
    ],
    fix: [`sysctl -w net.netfilter.nf_conntrack_max=${Math.max(max, count) * 4}`],
  });
}

/** Fewer, or a smaller part, are the noise of any network. */
const MIN_DROPPED = 100;
const MIN_DROPPED_PART = 0.001;

function checkReversePath({ packets, processes: { agent }, own }: NodeFacts): Finding {
  const { reversePathFilters: filters, counters } = packets;
  const { all = 0 } = filters;
  if (all === 2 && agent !== undefined && !agent.ignoresLooseFilter) {
    return found('PW507', 'warning', 'The agent does not start while the reverse path filter is loose.', {
      evidence: [['setting', 'net.ipv4.conf.all.rp_filter is 2']],
      fix: ['sysctl -w net.ipv4.conf.all.rp_filter=0'],
    });
  }
  const prefix = prefixOf(own);
  // The kernel uses the larger of both values. A pod's own interface may be strict: that keeps it from other addresses.
  const strict = Object.entries(filters)
    .filter(
      ([name, value]) =>
        !['all', 'default', 'lo'].includes(name) && !name.startsWith(prefix) && Math.max(all, value) === 1,
    )
    .map(([name]) => name);
  const dropped = counters?.reversePathDropped ?? 0;
  const part = dropped / Math.max(1, counters?.received ?? 0);
  if (strict.length === 0 || dropped < MIN_DROPPED || part < MIN_DROPPED_PART) {
    return passed(
      'PW507',
      strict.length === 0 ? 'no reverse path filter is strict' : 'the reverse path filter drops nothing',
    );
  }
  return found('PW507', 'warning', 'The reverse path filter drops packets that arrive on another interface.', {
    evidence: [
      ['dropped', `${dropped} packets, ${formatPercent(part)} of all that have arrived`],
      ['strict', strict.slice(0, 5).join(', ')],
      ['why', 'the route back to their sender leads to another interface'],
    ],
    fix: strict.map((name) => `sysctl -w ${settingName(name)}=2`),
  });
}

function formatPercent(part: number): string {
  return `${Number((part * 100).toPrecision(2))} %`;
}

// In the names of settings, a dot separates; in that of an interface, it becomes a slash.
function settingName(interfaceName: string): string {
  return `net.ipv4.conf.${interfaceName.replaceAll('.', '/')}.rp_filter`;
}

function checkHairpin({ configs, own, folders }: NodeFacts): Finding {
  if (configs.kind === 'unseen') return skipped('PW509', configs.why);
  const file = own.kind === 'absent' ? undefined : configs.value.find(({ name }) => name === own.fileName);
  if (file?.masqueradesHostPorts !== false) return passed('PW509', 'pods reach their own host ports');
  const path = quoteForShell(`${folders.configs}/${file.name}`);
  return found('PW509', 'warning', 'A pod does not reach itself, nor the node does, by its host port.', {
    evidence: [['setting', `"snat" of portmap is false in ${file.name}`]],
    fix: [String.raw`sed -i -E 's/("snat": *)false/\1true/' ${path}`],
  });
}
