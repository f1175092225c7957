import { describe, expect, it } from 'vitest';
import type { CniError } from '../../src/cni/error.ts';
import { openReader, throwRefusal, type JsonSource } from '../../src/json/json-reader.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { BOOLEAN, SECRET, TEXT, wholeNumber } from '../../src/json/shapes.ts';
import { cniFailure } from '../support/cni-failure.ts';

const SOURCE: JsonSource = { code: 7, name: 'the test', remedy: '; correct it' };
const SMALL = wholeNumber(1, 9);
const open = (raw: JsonObject) => openReader(raw, SOURCE);
const message = (call: () => unknown) => cniFailure(call).message;

describe('openReader', () => {
  it('reads what has the shape', () => expect(open({ a: 5 }).read('a', SMALL)).toBe(5));
  it('an absent member is undefined', () => expect(open({}).read('a', SMALL)).toBe(undefined));
  it('null is absent', () => expect(open({ a: null }).read('a', SMALL)).toBe(undefined));
  it('what every object inherits is absent', () => expect(open({}).read('constructor', SMALL)).toBe(undefined));
  it('0 is no absent number for read', () => expect(open({ a: 0 }).read('a', wholeNumber(0, 9))).toBe(0));
  it.each([0, '', null])('%j is absent for readUnlessZero', (a) =>
    expect(open({ a }).readUnlessZero('a', SMALL)).toBe(undefined),
  );
  it('false is not, where a number is wanted', () =>
    expect(() => open({ a: false }).readUnlessZero('a', SMALL)).toThrow(/"a"/));
  it('reads members of members', () =>
    expect(
      open({ a: { b: { c: true } } })
        .within('a')
        .within('b')
        .read('c', BOOLEAN),
    ).toBe(true));
  it('members of an absent member are absent', () =>
    expect(open({}).within('a').within('b').read('c', BOOLEAN)).toBe(undefined));
  it('reads lists', () => expect(open({ a: ['x', 'y'] }).readList('a', TEXT)).toEqual(['x', 'y']));
  it('an absent list is empty', () => expect(open({}).readList('a', TEXT)).toEqual([]));
  it('reads lists of objects', () =>
    expect(
      open({ a: [{ b: 1 }, { b: 2 }] })
        .list('a')
        .map((one) => one.read('b', SMALL)),
    ).toEqual([1, 2]));
});

describe('messages name the key, what is there, what is wanted and what to do', () => {
  const says = (why: string, raw: JsonObject, read: (reader: ReturnType<typeof open>) => unknown, text: string) =>
    it(why, () => expect(message(() => read(open(raw)))).toBe(text));

  says(
    'wrong shape',
    { a: '5' },
    (one) => one.read('a', SMALL),
    '"a" in the test is the string "5", where a whole number from 1 to 9 is wanted; correct it',
  );
  says(
    'missing',
    {},
    (one) => one.require('a', BOOLEAN),
    '"a" is missing in the test, where true or false is wanted; correct it',
  );
  says(
    'inside',
    { a: { b: 0 } },
    (one) => one.within('a').read('b', SMALL),
    '"a.b" in the test is the number 0, where a whole number from 1 to 9 is wanted; correct it',
  );
  says(
    'no object',
    { a: 's3cr3t' },
    (one) => one.within('a'),
    '"a" in the test is a string, where an object is wanted; correct it',
  );
  says(
    'no list',
    { a: {} },
    (one) => one.list('a'),
    '"a" in the test is an object, where a list is wanted; correct it',
  );
  says(
    'an item',
    { a: ['x', 1] },
    (one) => one.readList('a', TEXT),
    '"a[1]" in the test is the number 1, where a string without control characters is wanted; correct it',
  );
  says(
    'inside an item',
    { a: [{}, {}] },
    (one) => one.list('a')[1]?.require('b', BOOLEAN),
    '"a[1].b" is missing in the test, where true or false is wanted; correct it',
  );
  says(
    'a secret',
    { a: 's3cr3t\n' },
    (one) => one.read('a', SECRET),
    '"a" in the test is a string, where a string without control characters is wanted; correct it',
  );
});

describe('a reader that notes refusals', () => {
  const noted: CniError[] = [];
  const reader = openReader({ a: 'x', b: [1, 'y', {}], c: 5 }, SOURCE, (error) => noted.push(error));

  it('takes members of the wrong shape for absent', () => {
    expect(reader.read('a', SMALL)).toBe(undefined);
    expect(reader.readList('b', TEXT)).toEqual(['y']);
    expect(reader.within('c').read('d', SMALL)).toBe(undefined);
    expect(noted).toHaveLength(4);
  });
  it('throws for what is required', () => expect(() => reader.require('a', SMALL)).toThrow(/"a"/));
});

describe('throwRefusal', () => {
  it('throws what it is given', () =>
    expect(cniFailure(() => throwRefusal(cniFailure(() => open({}).require('a', TEXT)))).code).toBe(7));
});
