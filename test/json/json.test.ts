import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonList, isJsonObject, omitAbsent, parseJson, parseJsonObject } from '../../src/json/json.ts';
import { cniFailure, isAnswered } from '../support/suite/cni-failure.ts';

const bytes = (...values: readonly number[]) => Uint8Array.from(values);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('parseJson', () => {
  const refuses = (why: string, input: string | Uint8Array, message: RegExp) =>
    it(`refuses ${why}`, () => {
      const error = cniFailure(() => parseJson(input, 'the input'));
      expect(error.code).toBe(6);
      expect(error.message).toMatch(message);
    });

  refuses('no bytes at all', bytes(), /is empty/);
  refuses('white space only', ' \n\t', /is empty/);
  refuses('half an object', '{"a":', /is not valid JSON/);
  refuses('two values', '{} {}', /is not valid JSON, at position 3/);
  refuses('a comment', '{} // no', /is not valid JSON/);
  refuses('NaN', 'NaN', /is not valid JSON/);
  refuses('bytes that are not UTF-8', bytes(0x22, 0xff, 0xfe, 0x22), /is not UTF-8/);
  refuses('UTF-8 that is cut off', bytes(0x22, 0xc3), /is not UTF-8/);
  refuses('UTF-8 of a surrogate', bytes(0x22, 0xed, 0xa0, 0x80, 0x22), /is not UTF-8/);
  refuses('UTF-16', bytes(0xff, 0xfe, 0x7b, 0, 0x7d, 0), /is not UTF-8/);
  refuses('more than 16 MiB', ' '.repeat(16 * 1024 * 1024 + 1), /is larger than 16777216 bytes/);
  refuses('201 levels', nested(201), /nested deeper than 200/);
  refuses('100,000 levels', nested(100_000), /nested deeper than 200/);
  refuses('100,000 levels that never end', '{"a":'.repeat(100_000), /nested deeper than 200/);

  it('reads 200 levels, and the value can be written again', () =>
    expect(JSON.stringify(parseJson(nested(200)))).toBe(nested(200)));
  it('does not count brackets inside strings', () =>
    expect(parseJson(`"\\"${'['.repeat(300)}"`)).toMatch(/^"\[{300}$/));
  it('does not count lists beside each other', () => expect(parseJson(`[${'[],'.repeat(500)}[]]`)).toHaveLength(501));
  it('reads UTF-8 with a byte order mark', () => expect(parseJson(bytes(0xef, 0xbb, 0xbf, 0x31))).toBe(1));
  it('takes the last of duplicate keys', () => expect(parseJson('{"a":1,"a":2}')).toEqual({ a: 2 }));
  it('never quotes the input, which may hold a token', () =>
    expect(cniFailure(() => parseJson('{"k8s_auth_token": "s3cr3t" "')).message).not.toMatch(/s3cr3t/));
  it('has no cause, which would quote the input in the log', () =>
    expect(cniFailure(() => parseJson('{"a" s3cr3t')).cause).toBe(undefined));

  it('__proto__ becomes a key like any other', () => {
    const value = parseJsonObject('{"__proto__": {"polluted": true}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getPrototypeOf({ ...value })).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true}}');
  });

  it('any bytes are a value or a CniError 6', () => {
    const input = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }));
    const property = fc.property(input, (given) => isAnswered(() => parseJson(given), [6]));
    expect(() => fc.assert(property, { numRuns: 2000 })).not.toThrow();
  });

  it('reads all that JSON.parse reads', () => {
    const property = fc.property(
      fc.json(),
      (text) => JSON.stringify(parseJson(text)) === JSON.stringify(JSON.parse(text)),
    );
    expect(() => fc.assert(property)).not.toThrow();
  });
});

describe('parseJsonObject', () => {
  for (const text of ['null', '[]', '"{}"', '1', 'true']) {
    it(`refuses ${text}`, () => expect(cniFailure(() => parseJsonObject(text)).code).toBe(6));
  }
  it('reads an object', () => expect(parseJsonObject('{"a":[1]}')).toEqual({ a: [1] }));
});

describe('isJsonObject and isJsonList', () => {
  it('an object is an object', () => expect([isJsonObject({}), isJsonList({})]).toEqual([true, false]));
  it('a list is a list', () => expect([isJsonObject([]), isJsonList([])]).toEqual([false, true]));
  it('null is neither', () => expect([isJsonObject(null), isJsonList(null)]).toEqual([false, false]));
});

describe('omitAbsent', () => {
  it('keeps empty values, drops undefined ones', () =>
    expect(Object.entries(omitAbsent({ a: 0, b: undefined, c: '', d: null }))).toEqual([
      ['a', 0],
      ['c', ''],
      ['d', null],
    ]));
});
