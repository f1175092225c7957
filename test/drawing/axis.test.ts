import { describe, expect, it } from 'vitest';
import { makeAxis } from '../../src/drawing/axis.ts';

describe('an axis includes the largest value and has round ticks', () => {
  const ticks = (max: number, expected: readonly number[]) =>
    it(`up to ${max}`, () => expect(makeAxis(max, 0, 100).ticks).toEqual(expected));

  ticks(97, [0, 20, 40, 60, 80, 100]);
  ticks(100, [0, 20, 40, 60, 80, 100]);
  ticks(101, [0, 50, 100, 150]);
  ticks(0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]);
  ticks(0, [0, 1]);

  it('an axis begins at 0 and ends at the last tick', () => {
    const axis = makeAxis(97, 10, 110);
    expect([axis.at(0), axis.at(50), axis.at(100)]).toEqual([10, 60, 110]);
  });
});
