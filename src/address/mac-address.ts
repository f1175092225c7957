declare const brand: unique symbol;

/** Six bytes in lower-case hexadecimal, joined by `:`. */
export type MacAddress = string & { readonly [brand]: 'MacAddress' };

/** The error for text that is not a MAC address of one interface. `message` quotes the text and says why. */
export class MacAddressError extends Error {
  override readonly name = 'MacAddressError';
}

/**
 * Parses a unicast MAC address such as `1e:05:be:ef:00:01`, with `:` or `-`.
 *
 * @throws {MacAddressError} for other text, and for multicast and all-zero addresses, which the kernel rejects with
 *   EADDRNOTAVAIL
 * @see IEEE 802-2014 section 8.2; linux/etherdevice.h, is_valid_ether_addr
 */
export function parseMacAddress(text: string): MacAddress {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new MacAddressError(
      `${JSON.stringify(text.slice(0, 32))} is not a MAC address: expected six pairs of hexadecimal digits`,
    );
  }
  const address = text.toLowerCase().replaceAll('-', ':');
  if (Number.parseInt(address.slice(0, 2), 16) % 2 === 1) {
    throw new MacAddressError(`${address} is a multicast address`);
  }
  if (address === '00:00:00:00:00:00') throw new MacAddressError(`${address} does not identify an interface`);
  return address as MacAddress;
}
