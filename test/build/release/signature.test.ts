import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseSigningKey, publicKeyPem, signContent } from '../../../build/release/signature.ts';

const pemOf = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString();
const KEY = pemOf(generateKeyPairSync('ed25519').privateKey);

describe('a signature', () => {
  it('is accepted with the public key, and not for other content', () => {
    const key = parseSigningKey(KEY);
    const signature = signContent(key, Buffer.from('content'));
    expect(verify(null, Buffer.from('content'), publicKeyPem(key), signature)).toBe(true);
    expect(verify(null, Buffer.from('other'), publicKeyPem(key), signature)).toBe(false);
  });

  it('is the same each time', () => {
    const sign = () => signContent(parseSigningKey(KEY), Buffer.from('content')).toString('hex');
    expect(sign()).toBe(sign());
  });
});

describe('a key', () => {
  it('of another type is refused, with the command that makes one', () => {
    const pem = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    expect(() => parseSigningKey(pem)).toThrow(
      'the key is of type ec, expected ed25519: create one with openssl genpkey -algorithm ed25519',
    );
  });

  it('that cannot be read is refused', () => expect(() => parseSigningKey('no key')).toThrow('DECODER'));
});
