import { expect, it } from 'vitest';
import { formatTable } from '../../src/cli/table.ts';

it('columns are aligned, without borders and trailing blanks', () =>
  expect(
    formatTable(
      ['NAME', 'AGE'],
      [
        ['a-long-name', '1 s'],
        ['b', ''],
      ],
    ),
  ).toBe(['NAME         AGE', 'a-long-name  1 s', 'b', ''].join('\n')));

it('control characters of a name are escaped', () =>
  expect(formatTable(['NAME'], [['a\u001B[31m']])).toBe('NAME\na\\u001b[31m\n'));

it('columns that are too wide are wrapped, unless any width is fine', () => {
  const rows = [['x'.repeat(70), 'y'.repeat(30), 'z']];
  const lines = formatTable(['NAME', 'NODE', 'C'], rows).split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.join('').replaceAll(/[^xyz]/g, '')).toHaveLength(101);
  expect(formatTable(['NAME', 'NODE', 'C'], rows, 'any').split('\n')[1]).toHaveLength(105);
});
