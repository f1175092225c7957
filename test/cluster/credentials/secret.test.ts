import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeSecret, readTokenClaims } from '../../../src/cluster/credentials/secret.ts';
import { CANARY } from '../loopback-cluster.ts';

const claimsOf = (token: string) => readTokenClaims(makeSecret(token, 'a test'));

describe('a secret', () => {
  it('does not show when it is printed', () => {
    const secret = makeSecret(CANARY, 'a test');
    expect(`${JSON.stringify(secret)} ${inspect(secret)}`).not.toContain(CANARY);
    expect(secret.reveal()).toBe(CANARY);
  });
});

describe('a token', () => {
  it('of a service account reveals account and expiry', () => {
    expect(claimsOf(CANARY)).toEqual({
      account: 'system:serviceaccount:kube-system:podwire',
      expiresAt: new Date(1.6e12),
    });
  });
  const nothing = { account: undefined, expiresAt: undefined };
  const payload = (claims: string) => `a.${Buffer.from(claims).toString('base64url')}.c`;
  const says = (why: string, token: string) =>
    it(`${why} reveals nothing`, () => expect(claimsOf(token)).toEqual(nothing));
  says('of another kind', 'abcdef');
  says('with claims that are not JSON', 'a.b.c');
  says('with claims that are null', payload('null'));
  says('with an expiry beyond all dates', payload('{"exp":1e300}'));
  says('with claims of other kinds', payload('{"sub":5,"exp":"soon"}'));
});
