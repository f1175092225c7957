import { describe, expect, it } from 'vitest';
import { mergeManifests } from '../../../build/release/manifests.ts';
import { replaceOnce } from '../../../build/release/replace-once.ts';

const account = (name: string, extra = '') =>
  `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n${extra}`;

describe('manifests that are joined', () => {
  it('an object of several is kept once', () =>
    expect(mergeManifests([account('a'), `${account('b')}---\n${account('a')}`])).toBe(
      `${account('a')}---\n${account('b')}`,
    ));

  it('an object that differs in two is an error, not a choice', () =>
    expect(() => mergeManifests([account('a'), account('a', 'secrets: []\n')])).toThrow(
      'two manifests differ in v1 ServiceAccount a',
    ));

  it('objects of one name in different namespaces are different', () => {
    const other = 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n  namespace: b\n';
    expect(mergeManifests([account('a'), other])).toBe(`${account('a')}---\n${other}`);
  });
});

describe('text that is replaced', () => {
  it('occurs once', () => expect(replaceOnce('a b c', 'b', 'd')).toBe('a d c'));
  it('or is missing, which is an error', () => expect(() => replaceOnce('a', 'b', 'd')).toThrow('"b" occurs never'));
  it('or occurs twice, which is an error', () =>
    expect(() => replaceOnce('b b', 'b', 'd')).toThrow('"b" occurs more than once'));
});
