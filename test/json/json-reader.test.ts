import { describe, expect, it } from 'vitest';
import { openReader, throwError } from '../../src/json/json-reader.ts';
import { BOOLEAN, NON_EMPTY_STRING, SECRET, STRING, TEXT, wholeNumber } from '../../src/json/shapes.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';
import { JSON_SOURCE, UNQUOTED_SOURCE } from '../support/builders/json-source.ts';

const SMALL = wholeNumber(1, 9);
const open = (raw: unknown) => openReader(raw, JSON_SOURCE);
const message = (call: () => unknown) => cniFailure(call).message;

describe('openReader', () => {
  it('reads a value of the expected shape', () => expect(open({ a: 5 }).read('a', SMALL)).toBe(5));
  it('an absent member is undefined', () => expect(open({}).read('a', SMALL)).toBe(undefined));
  it('null is absent', () => expect(open({ a: null }).read('a', SMALL)).toBe(undefined));
  it('what every object inherits is absent', () => expect(open({}).read('constructor', SMALL)).toBe(undefined));
  it('0 is present for read', () => expect(open({ a: 0 }).read('a', wholeNumber(0, 9))).toBe(0));
  it.each([0, '', null])('%j is absent for readUnlessZero', (a) =>
    expect(open({ a }).readUnlessZero('a', SMALL)).toBe(undefined),
  );
  it('false is present for readUnlessZero', () =>
    expect(() => open({ a: false }).readUnlessZero('a', SMALL)).toThrow(/"a"/));
  it.each([null, 0, ''])('has nothing but %j', (a) => expect(open({ a }).has('a')).toBe(false));
  it.each([false, {}, [], 'x'])('has %j', (a) => expect(open({ a }).has('a')).toBe(true));
  it('reads members of members', () =>
    expect(
      open({ a: { b: { c: true } } })
        .readObject('a')
        .readObject('b')
        .read('c', BOOLEAN),
    ).toBe(true));
  it('members of an absent member are absent', () =>
    expect(open({}).readObject('a').readObject('b').read('c', BOOLEAN)).toBe(undefined));
  it('reads maps', () => expect(open({ a: { x: '', y: 'z' } }).readMap('a', STRING)).toEqual({ x: '', y: 'z' }));
  it('an absent map is empty', () => expect(open({ a: null }).readMap('a', STRING)).toEqual({}));
  it('a key of a map that is called __proto__ is data', () =>
    expect(Object.entries(open(JSON.parse('{"a":{"__proto__":"x"}}')).readMap('a', STRING))).toEqual([
      ['__proto__', 'x'],
    ]));
  it('makes the errors of its source', () =>
    expect(message(() => throwError(open({}).error('it is old')))).toBe('it is old; correct it'));
  it('reads lists', () => expect(open({ a: ['x', 'y'] }).readList('a', TEXT)).toEqual(['x', 'y']));
  it('an absent list is empty', () => expect(open({}).readList('a', TEXT)).toEqual([]));
  it('reads lists of objects', () =>
    expect(
      open({ a: [{ b: 1 }, { b: 2 }] })
        .readObjects('a')
        .map((one) => one.read('b', SMALL)),
    ).toEqual([1, 2]));
});

describe('messages name the key, what is expected, what was found and what to do', () => {
  const says = (why: string, raw: unknown, read: (reader: ReturnType<typeof open>) => unknown, text: string) =>
    it(why, () => expect(message(() => read(open(raw)))).toBe(text));

  says(
    'wrong shape',
    { a: '5' },
    (one) => one.read('a', SMALL),
    '"a" in the test: expected a whole number from 1 to 9, got the string "5"; correct it',
  );
  says(
    'missing',
    {},
    (one) => one.require('a', BOOLEAN),
    '"a" is missing in the test: expected true or false; correct it',
  );
  says(
    'inside',
    { a: { b: 0 } },
    (one) => one.readObject('a').read('b', SMALL),
    '"a.b" in the test: expected a whole number from 1 to 9, got the number 0; correct it',
  );
  says(
    'not an object',
    { a: 's3cr3t' },
    (one) => one.readObject('a'),
    '"a" in the test: expected an object, got a string; correct it',
  );
  says(
    'not a list',
    { a: {} },
    (one) => one.readObjects('a'),
    '"a" in the test: expected a list, got an object; correct it',
  );
  says(
    'an item',
    { a: ['x', 1] },
    (one) => one.readList('a', TEXT),
    '"a[1]" in the test: expected a string without control characters, got the number 1; correct it',
  );
  says(
    'inside an item',
    { a: [{}, {}] },
    (one) => one.readObjects('a')[1]?.require('b', BOOLEAN),
    '"a[1].b" is missing in the test: expected true or false; correct it',
  );
  says(
    'a secret',
    { a: 's3cr3t\n' },
    (one) => one.read('a', SECRET),
    '"a" in the test: expected a string without control characters, got a string; correct it',
  );
  says(
    'empty',
    { a: '' },
    (one) => one.require('a', NON_EMPTY_STRING),
    '"a" in the test: expected a string that is not empty, got the string ""; correct it',
  );
  says(
    'an object that must be there',
    { a: null },
    (one) => one.requireObject('a'),
    '"a" is missing in the test: expected an object; correct it',
  );
  says(
    'in a map',
    { a: { 'x/y': 1 } },
    (one) => one.readMap('a', STRING),
    '"a["x/y"]" in the test: expected a string, got the number 1; correct it',
  );
  it('of what is not an object at all', () =>
    expect(message(() => open([]))).toBe('the test: expected an object, got a list; correct it'));
});

describe('a source that does not quote values', () => {
  const says = (value: unknown, text: string) =>
    it(JSON.stringify(value), () =>
      expect(() =>
        openReader({ a: { b: value } }, UNQUOTED_SOURCE)
          .readObject('a')
          .require('b', SMALL),
      ).toThrow(new Error(text)),
    );

  says('s3cr3t', 'a.b: expected a whole number from 1 to 9, got a string');
  says('', 'a.b: expected a whole number from 1 to 9, got an empty string');
  says(5000, 'a.b: expected a whole number from 1 to 9, got a number');
  says(true, 'a.b: expected a whole number from 1 to 9, got a boolean');
  says(null, 'a.b is missing: expected a whole number from 1 to 9');
  it('nor what is not an object at all', () =>
    expect(() => openReader('s3cr3t', UNQUOTED_SOURCE)).toThrow(new Error('expected an object, got a string')));
});

describe('a reader that reports errors', () => {
  const reported: Error[] = [];
  const reader = openReader({ a: 'x', b: [1, 'y', {}], c: 5 }, JSON_SOURCE, (error) => reported.push(error));

  it('treats members of the wrong shape as absent', () => {
    expect(reader.read('a', SMALL)).toBe(undefined);
    expect(reader.readList('b', TEXT)).toEqual(['y']);
    expect(reader.readObject('c').read('d', SMALL)).toBe(undefined);
    expect(reported).toHaveLength(4);
  });
  it('throws if a required key is missing', () => expect(() => reader.require('a', SMALL)).toThrow(/"a"/));
});

describe('throwError', () => {
  it('throws what it is given', () => expect(() => throwError(new Error('x'))).toThrow(new Error('x')));
});
