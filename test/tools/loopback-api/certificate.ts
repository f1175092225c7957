import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { addressBytes, parseIpAddress } from '../../../src/address/ip-address.ts';
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

/** A certificate with its key, both PEM. */
export interface Identity {
  readonly subject: Subject;
  readonly certificate: string;
  readonly key: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Kubernetes reads a client certificate's common name as the user, its organization as the group. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

export interface CertificateOptions {
  readonly subject: Subject;
  /** Undefined: signed by itself. */
  readonly issuer?: Identity;
  readonly use: 'authority' | 'server' | 'client';
  /** Names and addresses that a server answers to. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/**
 * Makes a key on P-256 and a certificate for it, valid from an hour ago to tomorrow unless said otherwise.
 *
 * @see RFC 5280 section 4.1, RFC 5480
 */
export function makeIdentity({ subject, issuer, use, names = [], notBefore, notAfter }: CertificateOptions): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = issuer ?? { subject, publicKey, privateKey };
  const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(signer.subject),
    sequence(time(notBefore ?? new Date(Date.now() - HOUR_MS)), time(notAfter ?? new Date(Date.now() + 24 * HOUR_MS))),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(use, names, publicKey, signer.publicKey))),
  );
  const signature = sign('sha256', toBeSigned, signer.privateKey);
  const certificate = pem('CERTIFICATE', sequence(toBeSigned, ecdsaWithSha256, bitString(signature)));
  return {
    subject,
    certificate,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey,
    privateKey,
  };
}

function distinguishedName({ organization, commonName }: Subject): Uint8Array {
  const part = (type: string, text: string) => set(sequence(objectIdentifier(type), utf8String(text)));
  return sequence(...(organization === undefined ? [] : [part('2.5.4.10', organization)]), part('2.5.4.3', commonName));
}

function extensions(
  use: CertificateOptions['use'],
  names: readonly string[],
  own: KeyObject,
  signer: KeyObject,
): Uint8Array[] {
  const critical = (id: string, value: Uint8Array) => sequence(objectIdentifier(id), boolean(true), octetString(value));
  const plain = (id: string, value: Uint8Array) => sequence(objectIdentifier(id), octetString(value));
  const identifiers = [
    plain('2.5.29.14', octetString(keyIdentifier(own))),
    plain('2.5.29.35', sequence(der(0x80, keyIdentifier(signer)))),
  ];
  if (use === 'authority') {
    // keyCertSign and cRLSign are bits 5 and 6.
    return [
      critical('2.5.29.19', sequence(boolean(true))),
      critical('2.5.29.15', bitString(Buffer.from([0x06]), 1)),
      ...identifiers,
    ];
  }
  const purpose = use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  return [
    critical('2.5.29.19', sequence()),
    critical('2.5.29.15', bitString(Buffer.from([0x80]), 7)),
    plain('2.5.29.37', sequence(objectIdentifier(purpose))),
    ...(names.length === 0 ? [] : [plain('2.5.29.17', sequence(...names.map(generalName)))]),
    ...identifiers,
  ];
}

function generalName(name: string): Uint8Array {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(parseIpAddress(name)));
}

function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

const HOUR_MS = 60 * 60 * 1000;
