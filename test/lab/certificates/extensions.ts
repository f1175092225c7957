import { isIP } from 'node:net';
import { parseIpAddress } from '../../../src/address/ip-address.ts';
import { bitString, boolean, der, integer, objectIdentifier, octetString, sequence } from './der.ts';

/** An extension that a reader may ignore. */
export function plain(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), octetString(value));
}

/** An extension that a reader must understand. */
function critical(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), boolean(true), octetString(value));
}

/** The certificate may sign others, with at most `pathLength` authorities between it and a server. RFC 5280, section 4.2.1.9. */
export function isAuthority(pathLength?: number): Uint8Array {
  const limit = pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))];
  return critical(BASIC_CONSTRAINTS, sequence(boolean(true), ...limit));
}

export const isNoAuthority: Uint8Array = critical('2.5.29.19', sequence());

/** RFC 5280, section 4.2.1.3. */
export function keyUsage(...uses: readonly (keyof typeof KEY_USES)[]): Uint8Array {
  const bits = uses.reduce((sum, use) => sum | KEY_USES[use], 0);
  const unusedBits = Math.log2(bits & -bits);
  return critical('2.5.29.15', bitString(Buffer.from([bits]), unusedBits));
}

/** RFC 5280, section 4.2.1.12. */
export function extendedKeyUsage(...uses: readonly ExtendedUse[]): Uint8Array {
  return plain('2.5.29.37', sequence(...uses.map((use) => objectIdentifier(EXTENDED_USES[use]))));
}

/** DNS names, also invalid ones, and addresses; `dns:10.0.0.1` is the name that looks like an address. */
export function alternativeNames(...names: readonly string[]): Uint8Array {
  return plain(ALTERNATIVE_NAMES, sequence(...names.map(generalName)));
}

/** Names of another kind than a server has. */
export function alternativeEmail(address: string): Uint8Array {
  return plain(ALTERNATIVE_NAMES, sequence(der(0x81, Buffer.from(address))));
}

/** The names that an authority may sign for: domains. RFC 5280, section 4.2.1.10. */
export function nameConstraints(subtrees: {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
}): Uint8Array {
  const list = (tag: number, domains: readonly string[] = []) =>
    domains.length === 0 ? [] : [der(tag, ...domains.map((domain) => sequence(generalName(domain))))];
  return critical('2.5.29.30', sequence(...list(0xa0, subtrees.permitted), ...list(0xa1, subtrees.excluded)));
}

/** An extension that no program knows. */
export const unknownCritical: Uint8Array = critical('1.3.6.1.4.1.99999.1', octetString(Buffer.from('?')));

const BASIC_CONSTRAINTS = '2.5.29.19';
const ALTERNATIVE_NAMES = '2.5.29.17';

/** Bits from the left. */
const KEY_USES = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04, cRLSign: 0x02 } as const;

/** `unknown` is one that no program knows. */
export type ExtendedUse = keyof typeof EXTENDED_USES;

const EXTENDED_USES = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
  unknown: '1.3.6.1.4.1.99999.2',
} as const;

function generalName(name: string): Uint8Array {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name.replace(/^dns:/, ''))) : der(0x87, parseIpAddress(name).bytes);
}
