/** A row of docs/reliability.md: the measurement of one promise. */
export interface ReliabilityFigure {
  readonly fault: string;
  readonly promise: string;
  /** Counts of what was done and of what was left, `60 kills, 0 left`, which are the same on every machine. */
  readonly measured: string;
}

declare module 'vitest' {
  interface TaskMeta {
    reliability?: ReliabilityFigure;
  }
}

/**
 * Puts a figure into the report of the running test, for scripts/reliability.ts. A test calls it after it has checked
 * the promise.
 */
export function recordFigure(
  { meta }: { readonly meta: { reliability?: ReliabilityFigure } },
  figure: ReliabilityFigure,
): void {
  meta.reliability = figure;
}
