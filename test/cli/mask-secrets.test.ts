import { describe, expect, it } from 'vitest';
import { MASK, maskJson, maskText, secretsIn } from '../../src/cli/mask-secrets.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl';
const KEY = `-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----`;

describe('maskJson', () => {
  it('masks members by their name, at any depth', () =>
    expect(
      maskJson({ users: [{ name: 'u', user: { token: 'opaque-token', 'client-key-data': 'a2V5', password: 'p' } }] }),
    ).toEqual({
      users: [{ name: 'u', user: { token: MASK, 'client-key-data': MASK, password: MASK } }],
    }));
  it('masks what has the form of a secret, whatever its name is', () =>
    expect(maskJson({ a: JWT, b: [KEY], c: 'https://u:pw123456@host' })).toEqual({
      a: MASK,
      b: [MASK],
      c: `https://u:${MASK}@host`,
    }));
  it('keeps paths and everything else', () => {
    const value = {
      tokenFile: '/etc/token',
      policy: { type: 'k8s', k8s_client_key: '/etc/key' },
      mtu: 1500,
      nodename: 'n',
      x: null,
    };
    expect(maskJson(value)).toEqual(value);
  });
  it('masks a whole object that has the name of a secret', () =>
    expect(maskJson({ credentials: { a: 'b' }, secret: ['x'] })).toEqual({ credentials: MASK, secret: MASK }));
});

describe('maskText', () => {
  it.each([
    ['a token in a line', `the token ${JWT} was refused`, `the token ${MASK} was refused`],
    ['an authorization', 'Authorization: Bearer abcdefghijkl', `Authorization: Bearer ${MASK}`],
    [
      'YAML',
      'users:\n- user:\n    token: opaque\n    client-key-data: a2V5\n',
      `users:\n- user:\n    token: ${MASK}\n    client-key-data: ${MASK}\n`,
    ],
    ['a key', `x ${KEY} y`, `x ${MASK} y`],
    ['a known secret', 'the server echoed opaque-secret', `the server echoed ${MASK}`],
    ['ordinary text', 'pod default/web, mtu 1450', 'pod default/web, mtu 1450'],
  ])('%s', (_, text, expected) => expect(maskText(text, ['opaque-secret'])).toBe(expected));
});

it('the secrets of a configuration are found, so that they can be masked elsewhere', () =>
  expect(
    secretsIn({
      policy: { k8s_auth_token: 'opaque-token' },
      users: [{ user: { token: 'short', tokenFile: '/a/token' } }],
    }),
  ).toEqual(['opaque-token']));
