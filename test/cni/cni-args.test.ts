import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCniArgs } from '../../src/cni/cni-args.ts';
import { cniFailure, isAnswered } from '../support/suite/cni-failure.ts';

const POD = 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0';

describe('parseCniArgs', () => {
  const refuses = (why: string, raw: string, message: RegExp) =>
    it(`refuses ${why}`, () => {
      const error = cniFailure(() => parseCniArgs(raw));
      expect(error.code).toBe(4);
      expect(error.message).toMatch(message);
      expect(error.message.length).toBeLessThan(400);
    });
  const pod = { namespace: 'default', name: 'web-0' };

  it('no arguments name no pod', () =>
    expect(parseCniArgs('')).toEqual({ pod: undefined, podUid: undefined, raw: '' }));
  it('reads a pod', () => expect(parseCniArgs(POD)).toEqual({ pod, podUid: undefined, raw: POD }));
  it('reads what containerd sends, in any order', () =>
    expect(
      parseCniArgs(
        'K8S_POD_UID=6c1e;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=default;IgnoreUnknown=1',
      ),
    ).toMatchObject({ pod, podUid: '6c1e' }));
  it('takes the last of a key', () => expect(parseCniArgs(`K8S_POD_NAME=old;${POD}`).pod).toEqual(pod));
  it('empty names name no pod', () => expect(parseCniArgs('K8S_POD_NAMESPACE=;K8S_POD_NAME=').pod).toBe(undefined));
  it('an empty uid is absent', () => expect(parseCniArgs('K8S_POD_UID=').podUid).toBe(undefined));
  it("a static pod's uid has no dashes", () =>
    expect(parseCniArgs(`K8S_POD_UID=${'0f'.repeat(16)}`).podUid).toHaveLength(32));
  it('leaves IP to the delegate', () => expect(parseCniArgs('IP=10.0.0.5/24').raw).toBe('IP=10.0.0.5/24'));
  it.each(['1', 'true', 'TRUE'])('IgnoreUnknown=%s ignores unknown keys, at any position', (given) =>
    expect(parseCniArgs(`FOO=1;=x;${POD};IgnoreUnknown=${given}`).pod).toEqual(pod),
  );
  it('a key named as a property of every object is unknown, no more', () =>
    expect(parseCniArgs('__proto__=1;constructor=2;IgnoreUnknown=1').pod).toBe(undefined));

  refuses('a pair without =', 'K8S_POD_NAME', /expected KEY=VALUE .* got "K8S_POD_NAME"/);
  refuses('a value with =, as the delegate would', 'IP=a=b', /exactly one "="/);
  refuses('an empty pair', `${POD};;IgnoreUnknown=1`, /expected KEY=VALUE .* got ""/);
  refuses('a ; at the end', `${POD};`, /expected KEY=VALUE .* got ""/);
  refuses('an unknown key', 'FOO=1', /does not know "FOO"/);
  refuses('an empty key', '=1', /does not know ""/);
  refuses('an unknown key with IgnoreUnknown=0', 'FOO=1;IgnoreUnknown=0', /does not know "FOO"/);
  refuses('an IgnoreUnknown that is neither', 'IgnoreUnknown=yes', /IgnoreUnknown: .* got "yes"/);
  refuses('a name without a namespace', 'K8S_POD_NAME=web-0', /K8S_POD_NAMESPACE: .* got ""/);
  refuses('a namespace without a name', 'K8S_POD_NAMESPACE=default', /K8S_POD_NAME: .* got ""/);
  refuses(
    'a namespace that is a path',
    'K8S_POD_NAMESPACE=../kube-system;K8S_POD_NAME=a',
    /K8S_POD_NAMESPACE: expected/,
  );
  refuses('a name that is a path', 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=../a', /K8S_POD_NAME: expected/);
  refuses('a name in capitals', 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=Web', /K8S_POD_NAME: .* got "Web"/);
  refuses('a uid that is a path', 'K8S_POD_UID=../../x', /K8S_POD_UID: expected/);
  refuses('a uid of 129 characters', `K8S_POD_UID=${'a'.repeat(129)}`, /K8S_POD_UID: expected/);

  it.each([
    ';'.repeat(1e6),
    '='.repeat(1e6),
    'a=b;'.repeat(250_000),
    `K8S_POD_NAMESPACE=${'a'.repeat(1e6)}`,
    'a-'.repeat(500_000),
  ])('1 MB is refused at once (%#)', (raw) => {
    expect(cniFailure(() => parseCniArgs(raw)).message.length).toBeLessThan(400);
  });

  it('any text is read or refused with code 4', () => {
    const known = ['K8S_POD_NAME', 'K8S_POD_NAMESPACE', 'K8S_POD_UID', 'IgnoreUnknown=1', '=', ';', 'a'];
    const pieces = fc.array(fc.oneof(fc.constantFrom(...known), fc.string()));
    const property = fc.property(pieces, (texts) => isAnswered(() => parseCniArgs(texts.join('')), [4]));
    expect(() => fc.assert(property, { numRuns: 5000 })).not.toThrow();
  });
});
