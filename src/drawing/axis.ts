/** A scale that maps values from 0 upwards to positions in a drawing. */
export interface Axis {
  readonly ticks: readonly number[];
  /** Returns the position of a value. */
  at(value: number): number;
}

/**
 * Makes an axis that includes `max`, with up to ten ticks at round numbers.
 *
 * @param from position of 0
 * @param to position of the last tick
 */
export function makeAxis(max: number, from: number, to: number): Axis {
  const step = roundStep(max / 5);
  const count = Math.max(1, Math.ceil(max / step));
  const end = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
    at: (value) => from + (value / end) * (to - from),
  };
}

// The next of 1, 2, 5, 10, 20, 50 and so on.
function roundStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}
