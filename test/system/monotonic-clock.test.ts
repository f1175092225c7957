import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { monotonicMs } from '../../src/system/monotonic-clock.ts';

it('advances like Node’s own clock, in milliseconds', async () => {
  // Each round limits the difference between the clocks, even if it is interrupted.
  const rounds: { readonly least: number; readonly most: number }[] = [];
  for (let round = 0; round < 5; round++) {
    const before = performance.now();
    const now = monotonicMs();
    const after = performance.now();
    rounds.push({ least: now - after, most: now - before });
    await pause(20);
  }
  const least = Math.max(...rounds.map((round) => round.least));
  expect(least).toBeLessThanOrEqual(Math.min(...rounds.map((round) => round.most)) + 0.01);
});

it('never goes back, and has fractions of a millisecond', () => {
  const readings = Array.from({ length: 1000 }, monotonicMs);
  expect(readings).toEqual(readings.toSorted((one, other) => one - other));
  expect(readings.some((reading) => !Number.isInteger(reading))).toBe(true);
});
