import type { FindingNumber } from '../cni/error.ts';
import { skipped, type Finding } from './finding.ts';

/**
 * Checks that seem to fail if files cannot be read: a file that only root can read looks like one that is missing. Other
 * findings of an ordinary user are true.
 */
const UNCERTAIN: ReadonlySet<FindingNumber> = new Set([
  'PW102',
  'PW103',
  'PW104',
  'PW109',
  'PW111',
  'PW205',
  'PW305',
  'PW307',
  'PW604',
]);

/** Checks whose facts come from other credentials or from the list of processes. If they are skipped, root does not help. */
const INDEPENDENT: ReadonlySet<FindingNumber> = new Set(['PW701', 'PW801', 'PW803']);

/** What an ordinary user can check. What cannot be known without root is skipped, with this reason. */
export function asOrdinaryUser(findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) => {
    const { number, outcome } = finding;
    const isUncertain = outcome !== 'ok' && (outcome === 'skipped' || UNCERTAIN.has(number));
    return isUncertain && !INDEPENDENT.has(number) ? skipped(number, NEEDS_ROOT) : finding;
  });
}

/** How many of these checks were skipped because they need root. */
export function countNeedRoot(findings: readonly Finding[]): number {
  return findings.filter(({ outcome, summary }) => outcome === 'skipped' && summary === NEEDS_ROOT).length;
}

const NEEDS_ROOT = 'this check needs root';
