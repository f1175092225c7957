/** A row of docs/reliability.md: what a test has seen of a promise. */
export interface ReliabilityFigure {
  readonly fault: string;
  readonly promise: string;
  /** Counts of what was done and of what was left, so that they are the same on every machine. */
  readonly measured: string;
}

declare module 'vitest' {
  interface TaskMeta {
    reliability?: ReliabilityFigure;
  }
}

/** Puts a figure into the report of the running test, for scripts/reliability.ts. Call it where the promise has held. */
export function recordFigure(
  { meta }: { readonly meta: { reliability?: ReliabilityFigure } },
  figure: ReliabilityFigure,
): void {
  meta.reliability = figure;
}
