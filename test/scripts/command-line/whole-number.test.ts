import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../scripts/command-line/run-script.ts';
import { parseWholeNumber } from '../../../scripts/command-line/whole-number.ts';

it('a whole number within the limits is accepted', () => {
  expect([parseWholeNumber('--runs', '1'), parseWholeNumber('--runs', '60', 60)]).toEqual([1, 60]);
});

describe('anything else is incorrect usage:', () => {
  const rejects = (text: string, range: string, max?: number) =>
    it(JSON.stringify(text), () => {
      const expected = new UsageError(`--runs expects a whole number ${range}, got ${JSON.stringify(text)}`);
      expect(() => parseWholeNumber('--runs', text, max)).toThrow(expected);
    });

  rejects('', 'from 1');
  rejects('0', 'from 1');
  rejects('-1', 'from 1');
  rejects('1.5', 'from 1');
  rejects('many', 'from 1');
  rejects('61', 'from 1 to 60', 60);
});
