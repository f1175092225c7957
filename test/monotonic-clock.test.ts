import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { monotonicMs } from '../src/monotonic-clock.ts';

it('runs as Node’s own clock does, in milliseconds', async () => {
  const offsets: number[] = [];
  for (let round = 0; round < 5; round++) {
    const [before, now, after] = [performance.now(), monotonicMs(), performance.now()];
    offsets.push(now - before);
    expect(after - before).toBeGreaterThanOrEqual(0);
    await pause(20);
  }
  // What the clocks differ by stays the same, however much time passes.
  expect(Math.max(...offsets) - Math.min(...offsets)).toBeLessThan(20);
});

it('never goes back, and has parts of a millisecond', () => {
  const readings = Array.from({ length: 1000 }, monotonicMs);
  expect(readings).toEqual(readings.toSorted((one, other) => one - other));
  expect(readings.some((reading) => !Number.isInteger(reading))).toBe(true);
});
