import type { IpAddress } from '../address/ip-address.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';

/** The minimum of RFC 8200, section 5. Below it, the kernel silently disables IPv6 on an interface. */
const MIN_IPV6_MTU_BYTES = 1280;

/**
 * Rejects an MTU that is too small for the addresses.
 *
 * @throws {CniError} invalidConfig (7) naming the family and its minimum
 */
export function assertMtuFitsAddresses(mtuBytes: number | undefined, addresses: readonly IpAddress[]): void {
  if (mtuBytes === undefined || mtuBytes >= MIN_IPV6_MTU_BYTES) return;
  const address = addresses.find(({ family }) => family === 'ipv6');
  if (address === undefined) return;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `the MTU of ${mtuBytes} bytes is too small for ${address.text}: IPv6 needs at least ${MIN_IPV6_MTU_BYTES}; ` +
      'correct mtu in the network configuration, or in /var/lib/calico/mtu, which the agent writes',
    { finding: 'PW502' },
  );
}
