import { networkOf, type Cidr } from '../address/cidr.ts';
import { addressBits } from '../address/family.ts';
import { addressFromBytes, type IpAddress } from '../address/ip-address.ts';

/** True if an address is in a network. */
export function isInCidr(address: IpAddress, range: Cidr): boolean {
  if (address.family !== range.address.family) return false;
  const { prefixLength } = range;
  return networkOf({ address, prefixLength }).address.text === networkOf(range).address.text;
}

/**
 * How many addresses of a network host-local can lease: not the network's own, not the gateway, which is the first, and
 * not the last, which is the broadcast address of IPv4.
 *
 * @see containernetworking/plugins, plugins/ipam/host-local/backend/allocator/range.go, Canonicalize
 */
export function usableCount({ address, prefixLength }: Cidr): number {
  return Math.max(0, 2 ** (addressBits(address.family) - prefixLength) - 3);
}

/** The first `count` addresses of a network that host-local can lease and that are not in use. */
export function freeAddresses(range: Cidr, used: ReadonlySet<string>, count: number): readonly IpAddress[] {
  const free: IpAddress[] = [];
  const last = Math.min(usableCount(range) + 2, used.size + count + 2);
  for (let offset = 2; offset < last && free.length < count; offset++) {
    const address = addressAt(range, offset);
    if (!used.has(address.text)) free.push(address);
  }
  return free;
}

/** The smallest network that contains all of these, of one family. `undefined` for none. */
export function commonNetwork(cidrs: readonly Cidr[]): Cidr | undefined {
  const [first] = cidrs;
  if (first === undefined) return undefined;
  for (let prefixLength = first.prefixLength; prefixLength > 0; prefixLength--) {
    const candidate = networkOf({ address: first.address, prefixLength });
    const containsAll = cidrs.every((cidr) => cidr.prefixLength >= prefixLength && isInCidr(cidr.address, candidate));
    if (containsAll) return candidate;
  }
  return undefined;
}

/** The first network of the same size after `taken` that overlaps none of them. `undefined` if their /8 or /32 has none. */
export function freeNetwork(taken: readonly Cidr[]): Cidr | undefined {
  const [first] = taken;
  if (first === undefined) return undefined;
  const { prefixLength } = first;
  const step = 2 ** (addressBits(first.address.family) - prefixLength);
  for (let offset = 1; offset <= MAX_TRIED; offset++) {
    const candidate = { address: addressAt(first, offset * step), prefixLength };
    if (candidate.address.bytes[0] !== first.address.bytes[0]) return undefined;
    const isTaken = taken.some((cidr) => isInCidr(candidate.address, cidr) || isInCidr(cidr.address, candidate));
    if (!isTaken) return candidate;
  }
  return undefined;
}

const MAX_TRIED = 4096;

function addressAt(range: Cidr, offset: number): IpAddress {
  const bytes = Uint8Array.from(networkOf(range).address.bytes);
  let carry = offset;
  for (let index = bytes.length - 1; index >= 0 && carry > 0; index--) {
    const sum = (bytes[index] ?? 0) + carry;
    bytes[index] = sum % 256;
    carry = Math.floor(sum / 256);
  }
  return addressFromBytes(bytes);
}
