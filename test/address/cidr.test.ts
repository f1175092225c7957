import { describe, expect, it } from 'vitest';
import { formatCidr, hostCidr, networkOf, parseCidr } from '../../src/address/cidr.ts';
import { AddressError, parseIpAddress } from '../../src/address/ip-address.ts';

describe('parseCidr', () => {
  const reads = (given: string, canonical: string) =>
    it(`reads ${given}`, () => expect(formatCidr(parseCidr(given))).toBe(canonical));
  reads('10.0.0.5/24', '10.0.0.5/24');
  reads('0.0.0.0/0', '0.0.0.0/0');
  reads('FD00:0::/64', 'fd00::/64');
  reads('::/0', '::/0');
  reads('fd00::1/128', 'fd00::1/128');

  const refuses = (why: string, text: string) =>
    it(`refuses ${why}`, () => expect(() => parseCidr(text)).toThrow(AddressError));
  refuses('no prefix length', '10.0.0.0');
  refuses('an empty prefix length', '10.0.0.0/');
  refuses('one bit too many', '10.0.0.0/33');
  refuses('one bit too many for IPv6', 'fd00::/129');
  refuses('a sign', '10.0.0.0/-1');
  refuses('a leading zero', '10.0.0.0/08');
  refuses('an exponent', '10.0.0.0/1e1');
  refuses('two slashes', '10.0.0.0/8/8');
  refuses('words', 'usePodCidr');
});

describe('networkOf', () => {
  const clears = (given: string, network: string) =>
    it(`${given} lies in ${network}`, () => expect(formatCidr(networkOf(parseCidr(given)))).toBe(network));
  clears('10.1.2.3/8', '10.0.0.0/8');
  clears('10.1.2.3/23', '10.1.2.0/23');
  clears('10.1.2.3/32', '10.1.2.3/32');
  clears('10.1.2.3/0', '0.0.0.0/0');
  clears('fd00:1:2:3::5/48', 'fd00:1:2::/48');
  clears('fd00::ffff/121', 'fd00::ff80/121');
});

describe('hostCidr', () => {
  it('an IPv4 address alone is a /32', () =>
    expect(formatCidr(hostCidr(parseIpAddress('10.0.0.5')))).toBe('10.0.0.5/32'));
  it('an IPv6 address alone is a /128', () =>
    expect(formatCidr(hostCidr(parseIpAddress('fd00::5')))).toBe('fd00::5/128'));
});
