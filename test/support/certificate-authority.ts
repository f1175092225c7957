import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

export interface Certificate {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** What Kubernetes reads as the user's groups. */
  readonly organizations?: readonly string[];
  /** Names and addresses of a server. */
  readonly subjectAlternativeNames?: readonly string[];
}

export interface CertificateAuthority {
  readonly certificatePem: string;
  issue(request: CertificateRequest): Certificate;
}

/** A certificate authority for one test, on P-256 keys. Node can read certificates but not make them; this is what it lacks. */
export function makeCertificateAuthority(commonName: string): CertificateAuthority {
  const authority = makeKey();
  const issuer = name(commonName, []);
  const certificatePem = certificate({
    issuer,
    signer: authority,
    subject: issuer,
    subjectKey: authority,
    extensions: [basicConstraintsOfAuthority(), keyUsage('sign certificates')],
  });
  return {
    certificatePem,
    issue({ commonName: subjectName, organizations = [], subjectAlternativeNames = [] }) {
      const subjectKey = makeKey();
      const names = subjectAlternativeNames.length === 0 ? [] : [alternativeNames(subjectAlternativeNames)];
      return {
        certificatePem: certificate({
          issuer,
          signer: authority,
          subject: name(subjectName, organizations),
          subjectKey,
          extensions: [keyUsage('sign'), extendedKeyUsage(), ...names],
        }),
        keyPem: subjectKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      };
    },
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

interface ToBeSigned {
  readonly issuer: Buffer;
  readonly signer: KeyObject;
  readonly subject: Buffer;
  readonly subjectKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** @see RFC 5280, section 4.1 */
function certificate({ issuer, signer, subject, subjectKey, extensions }: ToBeSigned): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    issuer,
    sequence(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    subject,
    createPublicKey(subjectKey).export({ format: 'der', type: 'spki' }),
    element(0xa3, sequence(...extensions)),
  );
  const signed = sequence(body, algorithm, bitString(sign('sha256', body, signer), 0));
  const lines = signed.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function name(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) =>
    element(0x31, sequence(objectIdentifier(type), element(0x0c, Buffer.from(value))));
  return sequence(
    ...organizations.map((organization) => attribute(ORGANIZATION, organization)),
    attribute(COMMON_NAME, commonName),
  );
}

function basicConstraintsOfAuthority(): Buffer {
  return extension('2.5.29.19', sequence(TRUE));
}

function keyUsage(use: 'sign certificates' | 'sign'): Buffer {
  // digitalSignature is bit 0, keyCertSign bit 5, counted from the left.
  return extension('2.5.29.15', use === 'sign' ? bitString(Buffer.from([0x80]), 7) : bitString(Buffer.from([0x84]), 2));
}

function extendedKeyUsage(): Buffer {
  const serverAuthentication = objectIdentifier('1.3.6.1.5.5.7.3.1');
  const clientAuthentication = objectIdentifier('1.3.6.1.5.5.7.3.2');
  return extension('2.5.29.37', sequence(serverAuthentication, clientAuthentication));
}

function alternativeNames(names: readonly string[]): Buffer {
  const general = names.map((each) => {
    if (isIPv4(each)) return element(0x87, Buffer.from(each.split('.').map(Number)));
    if (isIPv6(each)) return element(0x87, ipv6Bytes(each));
    return element(0x82, Buffer.from(each));
  });
  return extension('2.5.29.17', sequence(...general));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const words = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'));
  const zeros = 8 - words(head).length - words(tail).length;
  const all = [...words(head), ...Array.from({ length: zeros }, () => '0'), ...words(tail)];
  return Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex');
}

const TRUE = element(0x01, Buffer.from([0xff]));

function extension(type: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(type), element(0x04, value));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, ...parts);
}

function integer(value: Buffer): Buffer {
  return element(0x02, value);
}

function bitString(value: Buffer, unusedBits: number): Buffer {
  return element(0x03, Buffer.from([unusedBits]), value);
}

function utcTime(timeMs: number): Buffer {
  return element(0x17, Buffer.from(new Date(timeMs).toISOString().replace(/^..|[-:T]|\.\d+/g, '')));
}

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const base128 = (value: number): number[] => {
    const bytes = [value & 0x7f];
    for (let more = value >> 7; more > 0; more >>= 7) bytes.unshift((more & 0x7f) | 0x80);
    return bytes;
  };
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Tag, length, content: all of DER is made of these. */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}
