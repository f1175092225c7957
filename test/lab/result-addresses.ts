import type { JsonObject } from '../../src/json/json.ts';
import { memberText } from './member.ts';

/** The addresses of a pod, without prefix length. A family without an address has an empty text. */
export type ResultAddresses = Readonly<Record<'ipv4' | 'ipv6', string>>;

/** The addresses of a result of 0.3.0 or newer, without their prefix length. */
export function addressesIn(result: JsonObject | undefined): readonly string[] {
  const ips: unknown = result?.['ips'];
  return Array.isArray(ips) ? ips.map((ip) => memberText(ip, 'address').replace(/\/\d+$/, '')) : [];
}

/** The first address of each family. */
export function addressByFamily(result: JsonObject | undefined): ResultAddresses {
  const addresses = addressesIn(result);
  return {
    ipv4: addresses.find((address) => !address.includes(':')) ?? '',
    ipv6: addresses.find((address) => address.includes(':')) ?? '',
  };
}
