/**
 * The two address families, in the order in which addresses and routes are planned (IPv4 first, as the endpoint lists
 * them).
 */
export const FAMILIES = [
  { name: 'ipv4', addressBits: 32, defaultRoute: '0.0.0.0/0', label: 'IPv4' },
  { name: 'ipv6', addressBits: 128, defaultRoute: '::/0', label: 'IPv6' },
] as const;

export type Family = (typeof FAMILIES)[number]['name'];

/** The number of bits in an address of a family: 32 or 128. */
export function addressBits(family: Family): number {
  return family === 'ipv4' ? FAMILIES[0].addressBits : FAMILIES[1].addressBits;
}
