import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';

const STATEMENT_TYPE = 'application/vnd.in-toto+json';

/**
 * Reads a private key that signs releases.
 *
 * Only Ed25519 is accepted: its signatures depend on nothing but key and content, so that two builds have the same. Those of ECDSA
 * contain a random number.
 *
 * @param pem PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it
 * @throws {Error} if it is not such a key
 */
export function parseSigningKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(
    `the key is of type ${key.asymmetricKeyType ?? 'unknown'}, expected ed25519: create one with openssl genpkey -algorithm ed25519`,
  );
}

/** The public key of a private one, in PEM. */
export function publicKeyPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

/** Signs content. The signature has 64 bytes (RFC 8032), as `openssl pkeyutl -rawin` reads it. */
export function signContent(key: KeyObject, content: Buffer): Buffer {
  return sign(null, content, key);
}

/**
 * Signs an in-toto statement.
 *
 * @returns an envelope, in one line of JSON
 * @see https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
 */
export function signStatement(key: KeyObject, statement: Buffer): string {
  const encoded = [STATEMENT_TYPE, statement.toString()].map((text) => `${Buffer.byteLength(text)} ${text}`).join(' ');
  const envelope = {
    payloadType: STATEMENT_TYPE,
    payload: statement.toString('base64'),
    signatures: [{ keyid: keyIdOf(key), sig: signContent(key, Buffer.from(`DSSEv1 ${encoded}`)).toString('base64') }],
  };
  return `${JSON.stringify(envelope)}\n`;
}

/** The SHA-256 digest of the public key in DER. */
function keyIdOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}
