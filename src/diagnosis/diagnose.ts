import { checkAddresses } from './check-addresses.ts';
import { checkApi } from './check-api.ts';
import { checkAttachments, findingsOfFailures } from './check-attachments.ts';
import { checkMachine } from './check-machine.ts';
import { checkMultus } from './check-multus.ts';
import { checkPackets } from './check-packets.ts';
import { checkRuntime } from './check-runtime.ts';
import { checkTraffic } from './check-traffic.ts';
import type { Effect } from './finding-description.ts';
import { FINDINGS, isKnownFinding } from './finding-table.ts';
import type { Finding } from './finding.ts';
import type { NodeFacts } from './facts.ts';
import { asOrdinaryUser, countNeedRoot } from './without-root.ts';

/** The result of all checks of a node. */
export interface Diagnosis {
  /** Root causes, the worst first, each with the findings that it causes. */
  readonly causes: readonly Cause[];
  readonly passed: readonly Finding[];
  readonly skipped: readonly Finding[];
  /** How many of the skipped checks need root, if an ordinary user runs this. */
  readonly needRoot: number;
}

export interface Cause {
  readonly finding: Finding;
  readonly consequences: readonly Finding[];
}

/**
 * Makes every check.
 *
 * @param tried the results of checks that change something, which the caller has made
 */
export function diagnose(facts: NodeFacts, tried: readonly Finding[] = []): Diagnosis {
  const all = [
    ...checkRuntime(facts),
    checkMultus(facts),
    ...checkApi(facts),
    ...checkAddresses(facts),
    ...checkMachine(facts),
    ...checkPackets(facts),
    ...checkAttachments(facts),
    ...checkTraffic(facts),
    ...tried,
  ];
  const checked = facts.machine.isRoot ? all : asOrdinaryUser(all);
  const fromLog = findingsOfFailures(facts, checked);
  const replaced = new Set(fromLog.map(({ number }) => number));
  return arrange([...checked.filter(({ number }) => !replaced.has(number)), ...fromLog]);
}

/** Sorts findings: causes before their consequences, the worse before the less bad, then by number. */
export function arrange(findings: readonly Finding[]): Diagnosis {
  const problems = findings.filter(({ outcome }) => outcome === 'failed' || outcome === 'warning').toSorted(byUrgency);
  const isCausedBy = (other: Finding, finding: Finding): boolean =>
    isKnownFinding(other.number) && causesOf(other.number).includes(finding.number);
  const roots = problems.filter((finding) => !problems.some((other) => isCausedBy(other, finding)));
  const claimed = new Set<Finding>(roots);
  const claim = (cause: Finding): readonly Finding[] => {
    const direct = problems.filter((other) => !claimed.has(other) && isCausedBy(cause, other));
    for (const consequence of direct) claimed.add(consequence);
    return [...direct, ...direct.flatMap(claim)];
  };
  const causes = roots.map((finding): Cause => {
    const consequences = claim(finding);
    // A warning because of which something fails already is not a warning.
    const hasFailed = consequences.some(({ outcome }) => outcome === 'failed');
    return { finding: hasFailed ? { ...finding, outcome: 'failed' } : finding, consequences };
  });
  return {
    causes: causes.toSorted((one, other) => byUrgency(one.finding, other.finding)),
    passed: findings.filter(({ outcome }) => outcome === 'ok').toSorted(byNumber),
    skipped: findings.filter(({ outcome }) => outcome === 'skipped').toSorted(byNumber),
    needRoot: countNeedRoot(findings),
  };
}

function causesOf(number: keyof typeof FINDINGS): readonly string[] {
  return FINDINGS[number].causes;
}

const EFFECTS: readonly Effect[] = ['pods cannot start', 'pods have no traffic', 'will fail soon', 'untidy'];

function byUrgency(one: Finding, other: Finding): number {
  const rank = ({ outcome }: Finding) => (outcome === 'failed' ? 0 : 1);
  const effect = ({ number }: Finding) => EFFECTS.indexOf(isKnownFinding(number) ? FINDINGS[number].effect : 'untidy');
  return rank(one) - rank(other) || effect(one) - effect(other) || byNumber(one, other);
}

function byNumber(one: Finding, other: Finding): number {
  return one.number.localeCompare(other.number);
}
