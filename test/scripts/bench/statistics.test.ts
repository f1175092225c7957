import { describe, expect, it } from 'vitest';
import { formatMs, formatRatio, percentile, rotate, spreadOf } from '../../../scripts/bench/statistics.ts';

describe('a percentile is a measured value:', () => {
  const gives = (why: string, values: readonly number[], percent: number, expected: number) =>
    it(why, () => expect(percentile(values, percent)).toBe(expected));

  gives('of one value', [7], 99, 7);
  gives('the median of an odd number of values', [3, 1, 2], 50, 2);
  gives('the lower median of an even number of values', [4, 1, 3, 2], 50, 2);
  gives('numbers are not sorted as text', [10, 9, 100], 50, 10);
  gives('the 90th of ten', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90, 9);
  gives('the 99th of ten is the slowest', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 99, 10);
  gives('the 0th is the fastest', [2, 1], 0, 1);

  it('no values have no percentile', () => expect(() => percentile([], 50)).toThrow(RangeError));
  it('the order of the values does not change', () => {
    const values = [3, 1, 2];
    expect(spreadOf(values)).toEqual({ p50: 2, p90: 3, p99: 3 });
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('each round begins with another item:', () => {
  const rotates = (why: string, round: number, expected: readonly string[]) =>
    it(why, () => expect(rotate(['a', 'b', 'c'], round)).toEqual(expected));

  rotates('the first round with the first item', 0, ['a', 'b', 'c']);
  rotates('the next round with the second item', 1, ['b', 'c', 'a']);
  rotates('the first item again after the last', 3, ['a', 'b', 'c']);
  it('an empty list remains empty', () => expect(rotate([], 2)).toEqual([]));
});

describe('a number in a table:', () => {
  const shows = (why: string, shown: string, expected: string) => it(why, () => expect(shown).toBe(expected));

  shows('a ratio', formatRatio(15, 10), '1.50x');
  shows('a ratio to nothing', formatRatio(15, undefined), '-');
  shows('a ratio to zero', formatRatio(15, 0), '-');
  shows('milliseconds below a hundred have a decimal', formatMs(12.34), '12.3');
  shows('milliseconds from a hundred on have no decimal', formatMs(123.4), '123');
});
