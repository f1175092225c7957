import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { parseIpAddress } from '../../../src/address/ip-address.ts';
import {
  bitString,
  boolean,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** A certificate with its key. */
export interface Certificate {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

/** The contents of a certificate for servers and clients. By default it is valid from an hour ago until tomorrow. */
export interface CertificateRequest {
  /** What Kubernetes reads as the user. */
  readonly commonName: string;
  /** What Kubernetes reads as the user's groups. */
  readonly organizations?: readonly string[];
  /** Names and addresses that a server answers to. */
  readonly subjectAlternativeNames?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate authority that only its own tests trust. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  issue(request: CertificateRequest): Certificate;
  /** An intermediate authority. */
  issueAuthority(commonName: string): CertificateAuthority;
}

interface Issuer {
  readonly name: Uint8Array;
  readonly key: KeyObject;
}

/**
 * A certificate authority for one test, on P-256 keys. Node can read certificates but not make them.
 *
 * @see RFC 5280, section 4; RFC 5480
 */
export function makeCertificateAuthority(commonName: string, issuedBy?: Issuer): CertificateAuthority {
  const key = makeKey();
  const issuer = { name: distinguishedName(commonName, []), key };
  return {
    issueAuthority: (name) => makeCertificateAuthority(name, issuer),
    certificatePem: formatCertificate({ commonName }, key, issuedBy ?? issuer, [
      critical(BASIC_CONSTRAINTS, sequence(boolean(true))),
      critical(KEY_USAGE, bitString(Buffer.from([0x06]), 1)), // keyCertSign and cRLSign: bits 5 and 6 from the left
    ]),
    issue(request) {
      const subjectKey = makeKey();
      const names = request.subjectAlternativeNames?.map(generalName);
      return {
        certificatePem: formatCertificate(request, subjectKey, issuer, [
          critical(BASIC_CONSTRAINTS, sequence()),
          critical(KEY_USAGE, bitString(Buffer.from([0x80]), 7)), // digitalSignature
          plain(EXTENDED_KEY_USAGE, sequence(objectIdentifier(SERVER), objectIdentifier(CLIENT))),
          ...(names === undefined ? [] : [plain(SUBJECT_ALTERNATIVE_NAME, sequence(...names))]),
        ]),
        keyPem: subjectKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const SUBJECT_KEY = '2.5.29.14';
const AUTHORITY_KEY = '2.5.29.35';
const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const HOUR_MS = 60 * 60 * 1000;

function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function formatCertificate(
  { commonName, organizations = [], notBefore, notAfter }: CertificateRequest,
  key: KeyObject,
  issuer: Issuer,
  extensions: readonly Uint8Array[],
): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuer.name,
    sequence(time(notBefore ?? new Date(Date.now() - HOUR_MS)), time(notAfter ?? new Date(Date.now() + 24 * HOUR_MS))),
    distinguishedName(commonName, organizations),
    publicKeyOf(key),
    der(
      0xa3,
      sequence(
        ...extensions,
        plain(SUBJECT_KEY, octetString(keyIdentifier(key))),
        plain(AUTHORITY_KEY, sequence(der(0x80, keyIdentifier(issuer.key)))),
      ),
    ),
  );
  const signed = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, issuer.key)));
  const lines = Buffer.from(signed).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string, organizations: readonly string[]): Uint8Array {
  const part = (type: string, text: string) => set(sequence(objectIdentifier(type), utf8String(text)));
  return sequence(...organizations.map((text) => part(ORGANIZATION, text)), part(COMMON_NAME, commonName));
}

function critical(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), boolean(true), octetString(value));
}

function plain(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), octetString(value));
}

function generalName(name: string): Uint8Array {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, parseIpAddress(name).bytes);
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha1').update(publicKeyOf(key)).digest();
}
