import type { FindingNumber } from '../cni/error.ts';

/**
 * What a check has found. `failed`: new pods cannot start, or running pods have no network. `warning`: it will become so,
 * or something is untidy. `skipped`: it could not be checked from here.
 */
export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one check, with what it is based on and what to do. */
export interface Finding {
  readonly number: FindingNumber;
  readonly outcome: Outcome;
  /** One sentence. For `skipped`, why, and from where it can be checked. */
  readonly summary: string;
  /** Facts as pairs of a label and a text: `['expired', '02:31:04 UTC, 41 minutes ago']`. */
  readonly evidence: readonly Evidence[];
  /** Shell commands that can be pasted. */
  readonly fix: readonly string[];
}

export type Evidence = readonly [label: string, text: string];

/** A check without a finding. */
export function passed(number: FindingNumber, summary: string): Finding {
  return { number, outcome: 'ok', summary, evidence: [], fix: [] };
}

/** A check that cannot be made from here. */
export function skipped(number: FindingNumber, why: string): Finding {
  return { number, outcome: 'skipped', summary: why, evidence: [], fix: [] };
}

/** A check with a finding. Evidence whose text is undefined is left out. */
export function found(
  number: FindingNumber,
  outcome: 'warning' | 'failed',
  summary: string,
  {
    evidence = [],
    fix = [],
  }: { readonly evidence?: readonly (readonly [string, string | undefined])[]; readonly fix?: readonly string[] } = {},
): Finding {
  const known = evidence.flatMap(([label, text]): readonly Evidence[] => (text === undefined ? [] : [[label, text]]));
  return { number, outcome, summary, evidence: known, fix };
}
