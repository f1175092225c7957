declare const brand: unique symbol;

/** Six bytes in lower-case hexadecimal, joined by `:`. */
export type MacAddress = string & { readonly [brand]: 'MacAddress' };

/** Text that is no MAC address a pod's interface can have. `message` quotes it and says why. */
export class MacAddressError extends Error {
  override readonly name = 'MacAddressError';
}

/**
 * A unicast MAC address, as `1e:05:be:ef:00:01` or with `-`.
 *
 * @throws {MacAddressError} for other text, and for multicast and all-zero addresses, which the kernel refuses
 *   (EADDRNOTAVAIL)
 * @see IEEE 802-2014 section 8.2; linux/etherdevice.h, is_valid_ether_addr
 */
export function parseMacAddress(text: string): MacAddress {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new MacAddressError(
      `${JSON.stringify(text.slice(0, 32))} is no MAC address: six pairs of hexadecimal digits are wanted`,
    );
  }
  const address = text.toLowerCase().replaceAll('-', ':');
  if (Number.parseInt(address.slice(0, 2), 16) % 2 === 1)
    throw new MacAddressError(`${address} is a multicast address`);
  if (address === '00:00:00:00:00:00') throw new MacAddressError(`${address} is no address of one interface`);
  return address as MacAddress;
}
