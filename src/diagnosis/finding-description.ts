import type { FindingNumber } from '../cni/error.ts';

/** What is worse: the order in which findings are reported. */
export type Effect = 'pods cannot start' | 'pods have no traffic' | 'will fail soon' | 'untidy';

/** Everything about a finding that does not depend on a node. */
export interface FindingDescription {
  readonly title: string;
  readonly effect: Effect;
  /** What causes it, in one or two sentences. */
  readonly cause: string;
  /** What to do about it, in one or two sentences. */
  readonly remedy: string;
  /** Findings that this one can cause. They are listed below it, not beside it. */
  readonly causes: readonly FindingNumber[];
}

/** What every fault that keeps pods from starting causes: failed commands, and a failed trial. */
export const FAILURES = ['PW602', 'PW604'] as const;
