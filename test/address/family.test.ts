import { expect, it } from 'vitest';
import { addressBits } from '../../src/address/family.ts';

it('an IPv4 address has 32 bits', () => expect(addressBits('ipv4')).toBe(32));
it('an IPv6 address has 128 bits', () => expect(addressBits('ipv6')).toBe(128));
