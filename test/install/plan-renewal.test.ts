import { describe, expect, it } from 'vitest';
import { renewAfterMs, retryAfterMs } from '../../src/install/plan-renewal.ts';

const DAY_MS = 86_400_000;

describe('a token of a day', () => {
  const renewed = (chance: number, share: number) =>
    it(`is renewed at ${share * 100} % of its lifetime, with a random number of ${chance}`, () =>
      expect(renewAfterMs(DAY_MS, chance)).toBeCloseTo(DAY_MS * share));
  renewed(0, 0.8);
  renewed(0.5, 0.75);
  renewed(1, 0.7);
  it('that has already expired is renewed at once', () => expect(renewAfterMs(-1000, 0.5)).toBe(0));
});

describe('after a failure', () => {
  const waits = (failures: number, maxMs: number) =>
    it(`number ${failures} in a row, the wait is ${maxMs} ms, or randomly down to half of it`, () => {
      expect(retryAfterMs(failures, 0)).toBe(maxMs);
      expect(retryAfterMs(failures, 1)).toBe(maxMs / 2);
    });
  waits(1, 1000);
  waits(2, 2000);
  waits(6, 32_000);
  waits(7, 60_000);
  waits(5000, 60_000);
});
