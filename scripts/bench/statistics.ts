/**
 * Returns the smallest of the values that is not exceeded by `percent` of them (the nearest rank, never an
 * interpolation).
 *
 * @throws {RangeError} if there are no values
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError('no values to take a percentile of');
  return value;
}

export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Returns the median and the slow end of a series. */
export function spreadOf(values: readonly number[]): Spread {
  return { p50: percentile(values, 50), p90: percentile(values, 90), p99: percentile(values, 99) };
}

/** Rotates the items by one in each round, so that none of them always runs first. */
export function rotate<Item>(items: readonly Item[], round: number): readonly Item[] {
  const start = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Formats a ratio as `1.70x`, or as a dash if there is nothing to compare with. */
export function formatRatio(value: number, reference: number | undefined): string {
  return reference === undefined || reference === 0 ? '-' : `${(value / reference).toFixed(2)}x`;
}

/** Formats milliseconds for a table, with one decimal below 100. */
export function formatMs(milliseconds: number): string {
  return milliseconds < 100 ? milliseconds.toFixed(1) : milliseconds.toFixed(0);
}
