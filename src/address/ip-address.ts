import { IPv4 } from 'ip-num';
import type { Family } from './family.ts';

/** An address, as text for people and programs and as bytes for the kernel. Two equal addresses have equal members. */
export interface IpAddress {
  readonly family: Family;
  /** Canonical: dotted decimal, or RFC 5952 (lower case, the longest run of zeros as `::`). */
  readonly text: string;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
}

/** The error for text that is not an address or not a CIDR. `message` quotes the text and says why. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/**
 * Parses an IPv4 or IPv6 address.
 *
 * Rejects text that programs interpret in different ways: leading zeros (octal for some), IPv4-mapped IPv6 (IPv4 for
 * Go) and zones.
 *
 * @throws {AddressError}
 * @see RFC 4291 section 2.2, RFC 5952 section 4
 */
export function parseIpAddress(text: string): IpAddress {
  return addressFromBytes(text.includes(':') ? parseIpv6(text) : parseIpv4(text));
}

/**
 * Makes the address of these 4 or 16 bytes in network order, which it copies.
 *
 * @throws {AddressError} for any other number of bytes
 */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return { family: 'ipv4', text: bytes.join('.'), bytes: Uint8Array.from(bytes) };
  if (bytes.length === 16) return { family: 'ipv6', text: formatIpv6(bytes), bytes: Uint8Array.from(bytes) };
  throw new AddressError(`an address has 4 or 16 bytes, not ${bytes.length}`);
}

function parseIpv4(text: string): Uint8Array {
  try {
    return Uint8Array.from(IPv4.fromString(text).toString().split('.'), Number);
  } catch (cause) {
    throw new AddressError(`${quote(text)} is not an IP address`, { cause });
  }
}

function parseIpv6(text: string): Uint8Array {
  if (text.includes('%')) {
    throw new AddressError(`${quote(text)} has a zone, which has no meaning outside one machine`);
  }
  if (text.includes('.')) throw mappedError(text);
  const groups = parseGroups(text);
  if (groups.every((group, index) => index > 5 || group === (index === 5 ? 0xffff : 0))) throw mappedError(text);
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

// ip-num's own parser for IPv6 takes 4 ms the first time, because of its regular expressions. Tests compare ours with
// it.
function parseGroups(text: string): readonly number[] {
  const [head = '', tail, ...more] = text.split('::');
  const before = splitGroups(head);
  const after = splitGroups(tail ?? '');
  const zeros = 8 - before.length - after.length;
  const isComplete = more.length === 0 && (tail === undefined ? zeros === 0 : zeros > 0);
  if (!isComplete || ![...before, ...after].every((group) => /^[0-9a-f]{1,4}$/i.test(group))) {
    throw new AddressError(`${quote(text)} is not an IP address`);
  }
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].map((group) => Number.parseInt(group, 16));
}

function splitGroups(half: string): readonly string[] {
  return half === '' ? [] : half.split(':');
}

// ip-num prints all eight groups; people, host-local and the agent write RFC 5952.
function formatIpv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(2 * index).toString(16));
  const run = longestZeroRun(groups);
  if (run.length < 2) return groups.join(':');
  return `${groups.slice(0, run.start).join(':')}::${groups.slice(run.start + run.length).join(':')}`;
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let current = { start: 0, length: 0 };
  groups.forEach((group, index) => {
    if (group !== '0') current = { start: index + 1, length: 0 };
    else current = { start: current.start, length: current.length + 1 };
    if (current.length > best.length) best = current;
  });
  return best;
}

function mappedError(text: string): AddressError {
  return new AddressError(`${quote(text)} is an IPv4 address written as IPv6`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
