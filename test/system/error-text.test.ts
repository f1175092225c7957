import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoOf, messageOf, says, saysCause, stackOf } from '../../src/system/error-text.ts';

const thrownBy = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

describe('errnoOf', () => {
  it('an error of node:fs has the name of its errno', () => {
    expect(errnoOf(thrownBy(() => readFileSync('/proc/self/missing')))).toBe('ENOENT');
  });

  it.each([
    ['an error without a code', new Error('broken')],
    ['an error whose code is a number', Object.assign(new Error('broken'), { code: 7 })],
    ['something that is not an error', { code: 'ENOENT' }],
    ['undefined', undefined],
  ])('%s has none', (_, thrown) => {
    expect(errnoOf(thrown)).toBeUndefined();
  });
});

describe('messageOf', () => {
  it.each([
    ['the message of an error', new Error('broken'), 'broken'],
    ['a string itself', 'broken', 'broken'],
    ['the text of anything else', undefined, 'undefined'],
  ])('is %s', (_, thrown, text) => {
    expect(messageOf(thrown)).toBe(text);
  });
});

describe('stackOf', () => {
  it('names the place where an error was thrown', () => {
    expect(stackOf(new Error('broken'))).toMatch(/^Error: broken\n.*error-text\.test\.ts/s);
  });

  it('is the message of an error that has no stack', () => {
    const error = new Error('broken');
    delete error.stack;
    expect(stackOf(error)).toBe('broken');
  });

  it('is the text of anything else', () => {
    expect(stackOf('broken')).toBe('broken');
  });
});

describe('says', () => {
  const repeats = (why: string, whole: string, text: string) => it(why, () => expect(says(whole, text)).toBe(true));
  const adds = (why: string, whole: string, text: string) => it(why, () => expect(says(whole, text)).toBe(false));
  repeats('nothing adds nothing', 'a pod', '');
  repeats('the same text', 'no pod can be attached: x', 'x');
  repeats(
    'the same words in another order',
    'API server https://a:1 refuses connections (ECONNREFUSED)',
    'ECONNREFUSED https://a:1',
  );
  it('a cause with the errno of the whole is said', () =>
    expect(saysCause('refuses connections (ECONNREFUSED)', 'connection refused (ECONNREFUSED)')).toBe(true));
  it('a cause with another errno is not', () => expect(saysCause('failed (EPIPE)', 'reset (ECONNRESET)')).toBe(false));
  it('a cause without an errno is said if its words are', () => {
    expect(saysCause('a b', 'b')).toBe(true);
    expect(saysCause('a b', 'c')).toBe(false);
  });
  adds('a new word', 'API server https://a:1 failed (500)', '500 https://a:1: etcd');
});
