import { found, passed, skipped, type Evidence, type Finding } from './finding.ts';
import type { NodeFacts } from './facts.ts';
import type { FirewallZone } from './packet-facts.ts';

/** The zones of firewalld that reject what no rule accepts, also if it is forwarded. */
const REJECTING: ReadonlySet<string> = new Set(['block', 'drop']);

/**
 * Checks whether firewalld accepts forwarded packets of pods (PW508).
 *
 * @param rules what its rules say: whether there are any, and the chain that rejects every packet of pods
 */
export function checkZones(
  { packets: { firewall, zones }, own }: NodeFacts,
  rules: { readonly isActive: boolean; readonly rejects: string | undefined },
): Finding {
  const prefix = own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali';
  const ofPods = zones?.filter(({ interfaces }) => interfaces.some((name) => name.startsWith(prefix))) ?? [];
  const rejecting = ofPods.find(({ name }) => REJECTING.has(name));
  if (rules.rejects !== undefined || rejecting !== undefined) {
    return found('PW508', 'failed', 'firewalld rejects the packets of pods.', {
      evidence: [
        ['chain', rules.rejects],
        ...describeZones(zones, prefix),
        ['or keep it', 'put the podCIDRs of all nodes into the zone trusted (firewall-cmd --add-source)'],
      ],
      fix: ['systemctl disable --now firewalld'],
    });
  }
  if (firewall.kind === 'unseen' && zones === undefined) return skipped('PW508', firewall.why);
  const [first] = ofPods;
  const where = first === undefined ? '' : `: ${prefix}* is in its zone ${first.name}`;
  return passed(
    'PW508',
    rules.isActive || zones !== undefined
      ? `firewalld accepts packets of pods${where}`
      : 'firewalld has no rules for forwarded packets',
  );
}

function describeZones(zones: readonly FirewallZone[] | undefined, prefix: string): readonly Evidence[] {
  if (zones === undefined) return [];
  const ofPods = zones.flatMap(({ name, interfaces }) => {
    const count = interfaces.filter((item) => item.startsWith(prefix)).length;
    return count === 0 ? [] : [`${count} in zone ${name}`];
  });
  const others = zones.map(({ name, interfaces, sources }) => {
    const members = [...interfaces.filter((item) => !item.startsWith(prefix)), ...sources];
    return `${name} (${members.slice(0, 5).join(', ') || 'nothing else'})`;
  });
  return [
    [`${prefix}*`, ofPods.join(', ') || 'in no zone: the default zone of firewalld applies to them'],
    ['zones', others.join('; ') || 'none is active'],
  ];
}
