import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { freeAddresses, freeNetwork, isInCidr, usableCount } from '../../src/diagnosis/range.ts';

describe('isInCidr', () => {
  it.each([
    ['10.0.0.5', '10.0.0.0/24', true],
    ['10.0.1.5', '10.0.0.0/24', false],
    ['10.0.0.5', '10.0.0.77/24', true],
    ['fd00::5', 'fd00::/64', true],
    ['10.0.0.5', 'fd00::/64', false],
  ])('%s in %s: %s', (address, range, expected) =>
    expect(isInCidr(parseIpAddress(address), parseCidr(range))).toBe(expected),
  );
});

// What host-local leases: not the network's address, the gateway and the broadcast address.
it.each([
  ['10.0.0.0/24', 253],
  ['10.0.0.0/29', 5],
  ['10.0.0.0/30', 1],
  ['10.0.0.0/32', 0],
])('%s has %i usable addresses', (range, expected) => expect(usableCount(parseCidr(range))).toBe(expected));

const free = (range: string, used: readonly string[], count: number) =>
  freeAddresses(parseCidr(range), new Set(used), count).map(({ text }) => text);

it('free addresses begin after the gateway and leave out what is in use', () =>
  expect(free('10.0.0.0/24', ['10.0.0.2', '10.0.0.4'], 2)).toEqual(['10.0.0.3', '10.0.0.5']));
it('a full range has none', () => expect(free('10.0.0.0/30', ['10.0.0.2'], 2)).toEqual([]));
it('of IPv6 as well', () => expect(free('fd00::/64', ['fd00::2'], 1)).toEqual(['fd00::3']));

const next = (...taken: readonly string[]) => {
  const network = freeNetwork(taken.map(parseCidr));
  return network && formatCidr(network);
};

it('a free network has the size of the first, and overlaps none', () =>
  expect(next('10.1.0.0/24', '10.1.1.0/24', '10.1.3.0/24')).toBe('10.1.2.0/24'));
it('a larger network that is taken is passed over', () =>
  expect(next('10.1.0.0/24', '10.1.0.0/22')).toBe('10.1.4.0/24'));
it('without any network there is none', () => expect(next()).toBeUndefined());
it('it never leaves the first eight bits', () => expect(next('10.255.255.0/24')).toBeUndefined());
