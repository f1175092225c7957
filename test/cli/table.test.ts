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
