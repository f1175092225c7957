import { addressBits } from './family.ts';
import { AddressError, addressFromBytes, parseIpAddress, type IpAddress } from './ip-address.ts';

/**
 * An address with a prefix length. Bits after the prefix may be set (the address of an interface) or not (a network).
 */
export interface Cidr {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/**
 * Parses `10.0.0.5/24` or `fd00::5/64`. Host bits may be set.
 *
 * @throws {AddressError} also for a prefix length with a sign, leading zeros or more bits than the family has
 * @see RFC 4632 section 3.1, RFC 4291 section 2.3
 */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf('/');
  if (slash < 0) {
    throw new AddressError(`${JSON.stringify(text.slice(0, 64))} has no prefix length: expected ADDRESS/LENGTH`);
  }
  const address = parseIpAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  const prefixLength = /^(0|[1-9][0-9]{0,2})$/.test(digits) ? Number(digits) : Number.NaN;
  const maxLength = addressBits(address.family);
  if (!(prefixLength <= maxLength)) {
    throw new AddressError(`${JSON.stringify(text.slice(0, 64))} has a prefix length that is not 0 to ${maxLength}`);
  }
  return { address, prefixLength };
}

/** Formats `ADDRESS/LENGTH`. */
export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${address.text}/${prefixLength}`;
}

/** The CIDR of one address alone: /32 or /128. */
export function hostCidr(address: IpAddress): Cidr {
  return { address, prefixLength: addressBits(address.family) };
}

/** The network that contains the address: the same prefix length, and the bits after it cleared. */
export function networkOf({ address, prefixLength }: Cidr): Cidr {
  const bytes = address.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - 8 * index));
    return byte & (0xff << (8 - kept));
  });
  return { address: addressFromBytes(bytes), prefixLength };
}
