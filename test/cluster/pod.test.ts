import { describe, expect, it } from 'vitest';
import { parsePod } from '../../src/cluster/pod.ts';
import { openReader } from '../../src/json/json-reader.ts';
import { UNQUOTED_SOURCE } from '../support/builders/json-source.ts';

const metadata = { namespace: 'a', name: 'b', uid: 'c', resourceVersion: '1' };
const aPod = (overrides: object = {}) => ({ metadata, spec: {}, ...overrides });
const parse = (value: unknown) => parsePod(openReader(value, UNQUOTED_SOURCE));

describe('a Pod', () => {
  it('that says the least has defaults', () => {
    expect(parse(aPod())).toEqual({ ...metadata, nodeName: undefined, hostNetwork: false, annotations: {} });
  });
  it('on the host network says so', () => expect(parse(aPod({ spec: { hostNetwork: true } })).hostNetwork).toBe(true));
  it('with fields that podwire does not use is read, whatever their shape', () =>
    expect(parse(aPod({ metadata: { ...metadata, labels: { app: 1 } }, status: 'x' })).name).toBe('b'));
  it('with an annotation called __proto__ keeps it as data', () => {
    const pod = parse(
      JSON.parse(
        '{"metadata":{"namespace":"a","name":"b","uid":"c","resourceVersion":"1","annotations":{"__proto__":"x"}},"spec":{}}',
      ),
    );
    expect(Object.entries(pod.annotations)).toEqual([['__proto__', 'x']]);
  });

  const refuses = (why: string, value: unknown, message: string) =>
    it(`${why} is refused`, () => expect(() => parse(value)).toThrow(new Error(message)));
  refuses('that is null', null, 'expected an object, got null');
  refuses('that is a list', [], 'expected an object, got a list');
  refuses(
    'without uid',
    aPod({ metadata: { ...metadata, uid: '' } }),
    'metadata.uid: expected a string that is not empty, got an empty string',
  );
  refuses(
    'with a number for a name',
    aPod({ metadata: { ...metadata, name: 5 } }),
    'metadata.name: expected a string that is not empty, got a number',
  );
  refuses('without spec', { metadata }, 'spec is missing: expected an object');
  refuses(
    'with annotations that are a list',
    aPod({ metadata: { ...metadata, annotations: [] } }),
    'metadata.annotations: expected an object, got a list',
  );
  refuses(
    'with an annotation that is a number',
    aPod({ metadata: { ...metadata, annotations: { a: 1 } } }),
    'metadata.annotations["a"]: expected a string, got a number',
  );
  refuses(
    'with hostNetwork "yes"',
    aPod({ spec: { hostNetwork: 'yes' } }),
    'spec.hostNetwork: expected true or false, got a string',
  );
});
