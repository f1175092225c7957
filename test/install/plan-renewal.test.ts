import { describe, expect, it } from 'vitest';
import { renewAfterMs, retryAfterMs } from '../../src/install/plan-renewal.ts';

const DAY_MS = 86_400_000;

describe('a token of a day', () => {
  const renewed = (chance: number, share: number) =>
    it(`is renewed at ${share * 100} % of its life, by a chance of ${chance}`, () =>
      expect(renewAfterMs(DAY_MS, chance)).toBeCloseTo(DAY_MS * share));
  renewed(0, 0.8);
  renewed(0.5, 0.75);
  renewed(1, 0.7);
  it('that is over already is renewed at once', () => expect(renewAfterMs(-1000, 0.5)).toBe(0));
});

describe('after a failure', () => {
  const waits = (failures: number, mostMs: number) =>
    it(`the ${failures}th in a row, ${mostMs} ms are waited, or by chance half of it`, () => {
      expect(retryAfterMs(failures, 0)).toBe(mostMs);
      expect(retryAfterMs(failures, 1)).toBe(mostMs / 2);
    });
  waits(1, 1000);
  waits(2, 2000);
  waits(9, 256_000);
  waits(10, 300_000);
  waits(5000, 300_000);
});
