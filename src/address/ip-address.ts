import { IPv4 } from 'ip-num';
import type { Family } from './family.ts';

/** An address in canonical text: dotted decimal, or RFC 5952 (lower case, longest run of zeros as `::`). */
export interface IpAddress {
  readonly family: Family;
  readonly text: string;
}

/** Text that is no address or CIDR. `message` quotes it and says why. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/**
 * An IPv4 or IPv6 address in canonical form.
 *
 * Refuses what different programs read differently: leading zeros (octal for some), IPv4-mapped IPv6 (IPv4 for Go) and zones.
 *
 * @throws {AddressError}
 * @see RFC 4291 section 2.2, RFC 5952 section 4
 */
export function parseIpAddress(text: string): IpAddress {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The address as the kernel wants it: 4 or 16 bytes in network order. */
export function addressBytes({ family, text }: IpAddress): Uint8Array {
  if (family === 'ipv4') return Uint8Array.from(text.split('.'), Number);
  const [bytes, value] = [new Uint8Array(16), ipv6Value(text)];
  for (let index = 0; index < 16; index++) bytes[index] = Number((value >> BigInt(120 - 8 * index)) & 0xffn);
  return bytes;
}

/** The address of these 4 or 16 bytes in network order. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return { family: 'ipv4', text: bytes.join('.') };
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  if (bytes.length === 16) return { family: 'ipv6', text: compress(value) };
  throw new AddressError(`an address of ${bytes.length} bytes: 4 or 16 are wanted`);
}

function parseIpv4(text: string): IpAddress {
  try {
    return { family: 'ipv4', text: IPv4.fromString(text).toString() };
  } catch (cause) {
    throw new AddressError(`${quote(text)} is no IP address`, { cause });
  }
}

function parseIpv6(text: string): IpAddress {
  if (text.includes('%')) throw new AddressError(`${quote(text)} has a zone, which means nothing outside one machine`);
  const value = text.includes('.') ? MAPPED : ipv6Value(text);
  if (value >> 32n === 0xffffn) throw new AddressError(`${quote(text)} is an IPv4 address written as IPv6`);
  return { family: 'ipv6', text: compress(value) };
}

const MAPPED = 0xffffn << 32n;

// ip-num's own reading of IPv6 text takes 4 ms the first time, for its regular expressions; tests compare ours with it.
function ipv6Value(text: string): bigint {
  const [head = '', tail, ...more] = text.split('::');
  const groups = [head, tail ?? ''].map((half) => (half === '' ? [] : half.split(':')));
  const [before = [], after = []] = groups;
  const zeros = 8 - before.length - after.length;
  const isWhole = more.length === 0 && (tail === undefined ? zeros === 0 : zeros > 0);
  const all = [...before, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...after];
  if (!isWhole || !all.every((group) => /^[0-9a-f]{1,4}$/i.test(group)))
    throw new AddressError(`${quote(text)} is no IP address`);
  return all.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}

// ip-num prints all eight groups; people, host-local and the agent write RFC 5952.
function compress(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
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

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
