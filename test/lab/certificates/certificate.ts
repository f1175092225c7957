import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto';
import {
  bitString,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
  printableString,
} from './der.ts';
import { plain } from './extensions.ts';

/** A certificate with its key. */
export interface Certificate {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

/** A certificate that can sign others. */
export interface SigningCertificate extends Certificate {
  readonly subject: Uint8Array;
  readonly key: KeyObject;
}

export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'RSA-1024' | 'RSA-2048' | 'RSA-4096';

/** The contents of a certificate. By default its key is on P-256, and it is valid from an hour ago until tomorrow. */
export interface CertificateContents {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** A kind of key, or a key that another certificate has, too. */
  readonly key?: KeyKind | KeyObject;
  /** Of the signature. */
  readonly hash?: 'sha1' | 'sha256';
  /** Version 1 has no extensions; by default 3. */
  readonly version?: 1;
  readonly serialNumber?: Uint8Array;
  /** How the names are encoded. */
  readonly encoding?: 'utf8' | 'printable';
  /** Without the key identifiers. */
  readonly extensions: readonly Uint8Array[];
  /** By default each is the hash of the key that it identifies. */
  readonly keyIdentifiers?: { readonly subject?: Uint8Array; readonly authority?: readonly Uint8Array[] } | 'none';
}

/**
 * Makes a certificate. Without an issuer it signs itself. Node can read certificates but not make them.
 *
 * @see RFC 5280, section 4; RFC 5480; RFC 8410
 */
export function makeCertificate(contents: CertificateContents, issuer?: SigningCertificate): SigningCertificate {
  const { key: givenKey = 'P-256' } = contents;
  const key = typeof givenKey === 'string' ? makeKey(givenKey) : givenKey;
  const subject = distinguishedName(contents);
  return {
    certificatePem: formatCertificate(contents, { subject, key }, issuer ?? { subject, key }),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
    key,
  };
}

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const SUBJECT_KEY = '2.5.29.14';
const AUTHORITY_KEY = '2.5.29.35';
const HOUR_MS = 60 * 60 * 1000;
/** RFC 3279, section 2.2; RFC 5758, section 3.2; RFC 8410, section 3. */
const ED25519 = '1.3.101.112';
const SIGNATURES: Readonly<Record<string, Readonly<Record<'sha1' | 'sha256', string>>>> = {
  ec: { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2' },
  rsa: { sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11' },
  ed25519: { sha1: ED25519, sha256: ED25519 },
};

function makeKey(kind: KeyKind): KeyObject {
  const pair = (): KeyPairKeyObjectResult => {
    if (kind === 'Ed25519') return generateKeyPairSync('ed25519');
    const [, bits] = /^RSA-(\d+)$/.exec(kind) ?? [];
    if (bits === undefined) return generateKeyPairSync('ec', { namedCurve: kind });
    return generateKeyPairSync('rsa', { modulusLength: Number(bits) });
  };
  return pair().privateKey;
}

type Party = Pick<SigningCertificate, 'subject' | 'key'>;

function formatCertificate(contents: CertificateContents, { subject, key }: Party, issuer: Party): string {
  const { notBefore, notAfter, hash = 'sha256' } = contents;
  const kind = issuer.key.asymmetricKeyType ?? '';
  const algorithm = sequence(
    objectIdentifier(SIGNATURES[kind]?.[hash] ?? ''),
    ...(kind === 'rsa' ? [der(0x05)] : []), // NULL
  );
  const version3 = [der(0xa0, integer(Buffer.from([2])))];
  const toBeSigned = sequence(
    ...(contents.version === 1 ? [] : version3),
    integer(contents.serialNumber ?? Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuer.subject,
    sequence(time(notBefore ?? new Date(Date.now() - HOUR_MS)), time(notAfter ?? new Date(Date.now() + 24 * HOUR_MS))),
    subject,
    publicKeyOf(key),
    ...(contents.version === 1 ? [] : [der(0xa3, sequence(...extensionsOf(contents, key, issuer.key)))]),
  );
  const signature = sign(kind === 'ed25519' ? null : hash, toBeSigned, issuer.key);
  const signed = sequence(toBeSigned, algorithm, bitString(signature));
  const lines = Buffer.from(signed).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf(contents: CertificateContents, key: KeyObject, issuer: KeyObject): readonly Uint8Array[] {
  const { extensions, keyIdentifiers = {} } = contents;
  if (keyIdentifiers === 'none') return extensions;
  const { subject = keyIdentifier(key), authority = [der(0x80, keyIdentifier(issuer))] } = keyIdentifiers;
  return [...extensions, plain(SUBJECT_KEY, octetString(subject)), plain(AUTHORITY_KEY, sequence(...authority))];
}

function distinguishedName({ commonName, organizations = [], encoding }: CertificateContents): Uint8Array {
  const string = encoding === 'printable' ? printableString : utf8String;
  const part = (type: string, text: string) => set(sequence(objectIdentifier(type), string(text)));
  return sequence(...organizations.map((text) => part(ORGANIZATION, text)), part(COMMON_NAME, commonName));
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha1').update(publicKeyOf(key)).digest();
}
