/** Where values lie along a line of a drawing, from 0 on. */
export interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/**
 * An axis that holds `most`, with four to ten ticks at numbers that people like.
 *
 * @param from position of 0
 * @param to position of the last tick
 */
export function makeAxis(most: number, from: number, to: number): Axis {
  const step = roundStep(most / 5);
  const count = Math.max(1, Math.ceil(most / step));
  const end = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
    at: (value) => from + (value / end) * (to - from),
  };
}

function roundStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}
