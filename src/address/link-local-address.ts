import { addressFromBytes, type IpAddress } from './ip-address.ts';
import type { MacAddress } from './mac-address.ts';

/**
 * The IPv6 link-local address that is derived from a MAC address, as the kernel derives it with `addr_gen_mode` 0.
 *
 * @see RFC 4291 section 2.5.6 and appendix A
 */
export function linkLocalAddress(mac: MacAddress): IpAddress {
  const [first = 0, ...rest] = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const prefix = [0xfe, 0x80, 0, 0, 0, 0, 0, 0];
  return addressFromBytes(Uint8Array.of(...prefix, first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)));
}
