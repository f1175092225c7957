import { describe, expect, it } from 'vitest';
import { CniError } from '../../../src/cni/error.ts';
import { parseKubeconfig } from '../../../src/cluster/credentials/kubeconfig.ts';

const aKubeconfig = ({ cluster = {}, user = {} }: { cluster?: object; user?: object }) => ({
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  clusters: [{ name: 'k', cluster }],
  users: [{ name: 'u', user }],
});
const parse = (value: unknown) =>
  parseKubeconfig(value, { path: '/etc/k/config', what: 'kubeconfig', namedBy: 'a test' });

describe('a kubeconfig', () => {
  const reads = (why: string, overrides: Parameters<typeof aKubeconfig>[0], expected: object) =>
    it(why, () => expect(parse(aKubeconfig(overrides))).toMatchObject(expected));
  reads(
    'relative paths start from its folder',
    { user: { tokenFile: 't' } },
    { token: { kind: 'file', path: '/etc/k/t' } },
  );
  reads('absolute paths stay', { user: { tokenFile: '/t' } }, { token: { kind: 'file', path: '/t' } });
  reads('tokenFile wins over token', { user: { tokenFile: '/t', token: 'x' } }, { token: { kind: 'file' } });
  reads(
    'data wins over a path',
    { user: { 'client-key': 'f', 'client-key-data': 'YQ==' } },
    { clientKey: { kind: 'inline', text: 'a' } },
  );
  reads('empty fields are absent', { user: { token: '', exec: null } }, { token: undefined });
  reads('base64 may have line breaks', { user: { 'client-key-data': 'Y\nQ==' } }, { clientKey: { text: 'a' } });
  reads('verification is on', {}, { isVerificationOff: false });

  it('a context without a user is anonymous', () => {
    const config = { ...aKubeconfig({}), contexts: [{ name: 'c', context: { cluster: 'k' } }] };
    expect(parse(config)).toMatchObject({ userName: undefined, token: undefined });
  });

  const refuses = (why: string, value: unknown, message: RegExp) =>
    it(`${why} is refused`, () => {
      expect(() => parse(value)).toThrow(message);
      expect(() => parse(value)).toThrow(CniError);
    });
  refuses(
    'a list of contexts that is an object',
    { ...aKubeconfig({}), contexts: {} },
    /^the kubeconfig \/etc\/k\/config cannot be used: contexts: expected a list, got an object; correct the file, or a test$/,
  );
  refuses(
    'a context that is text',
    { ...aKubeconfig({}), contexts: ['c'] },
    /: contexts\[0\]: expected an object, got a string;/,
  );
  refuses('a user that is not there', { ...aKubeconfig({}), users: [] }, /: users has no "u"; it has no named entry;/);
  refuses('a cluster that is not there', { ...aKubeconfig({}), clusters: null }, /: clusters has no "k"/);
  refuses(
    'insecure-skip-tls-verify: "true"',
    aKubeconfig({ cluster: { 'insecure-skip-tls-verify': 'true' } }),
    /: clusters\[0\]\.cluster\.insecure-skip-tls-verify: expected true or false, got a string;/,
  );
});
