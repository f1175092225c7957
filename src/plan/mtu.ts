import type { IpAddress } from '../address/ip-address.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';

/** The least that IPv6 works with; below it the kernel takes IPv6 off an interface without a word (RFC 8200 section 5). */
const IPV6_MIN_MTU_BYTES = 1280;

/**
 * Refuses an MTU that is too small for the addresses.
 *
 * @throws {CniError} 7
 */
export function assertMtuFitsAddresses(mtuBytes: number | undefined, addresses: readonly IpAddress[]): void {
  if (mtuBytes === undefined || mtuBytes >= IPV6_MIN_MTU_BYTES) return;
  const address = addresses.find(({ family }) => family === 'ipv6');
  if (address === undefined) return;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `an MTU of ${mtuBytes} bytes is too small for ${address.text}: IPv6 needs ${IPV6_MIN_MTU_BYTES}; ` +
      "correct mtu in the netconf or in the agent's /var/lib/calico/mtu",
  );
}
