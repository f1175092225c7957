import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describe as describeValue, describeKind, quote } from '../../src/json/quote.ts';

describe('quote', () => {
  const shows = (why: string, text: string, shown: string) => it(why, () => expect(quote(text)).toBe(shown));
  shows('plain text stands in quotation marks', 'eth0', '"eth0"');
  shows('quotation marks are escaped', 'a"b', String.raw`"a\"b"`);
  shows('a line break is escaped: a message is one line', 'a\nb', String.raw`"a\nb"`);
  shows('a terminal escape is escaped', '\u001b[2J', String.raw`"\u001b[2J"`);
  shows('its C1 form too', '\u009b2J', String.raw`"\u009b2J"`);
  shows('a change of direction is escaped', '\u202egnp', String.raw`"\u202egnp"`);
  shows('long text is cut', 'x'.repeat(10_000), `"${'x'.repeat(64)}…"`);

  it('any text becomes short and has no control character', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const shown = quote(text);
      return shown.length < 400 && !/[\u0000-\u001f\u007f-\u009f]/.test(shown);
    });
    expect(() => fc.assert(property)).not.toThrow();
  });
});

describe('describe', () => {
  it.each([
    ['1500', 'the string "1500"'],
    [67, 'the number 67'],
    [1.5, 'the number 1.5'],
    [true, 'true'],
    [null, 'null'],
    [[1], 'a list'],
    [{ a: 1 }, 'an object'],
  ])('%j is %s', (value, words) => expect(describeValue(value)).toBe(words));
});

describe('describeKind', () => {
  it.each([
    ['s3cr3t', 'a string'],
    ['', 'an empty string'],
    [67, 'a number'],
    [false, 'a boolean'],
    [null, 'null'],
    [[], 'a list'],
    [{}, 'an object'],
  ])('%j is %s', (value, words) => expect(describeKind(value)).toBe(words));
});
