import { expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { assertMtuFitsAddresses } from '../../src/plan/mtu.ts';

const check = (mtuBytes: number | undefined, ...addresses: string[]) =>
  assertMtuFitsAddresses(mtuBytes, addresses.map(parseIpAddress));

it('IPv4 accepts a small MTU', () => expect(() => check(68, '10.0.0.5')).not.toThrow());
it('IPv6 accepts 1280', () => expect(() => check(1280, '10.0.0.5', 'fd00::5')).not.toThrow());
it('without an MTU, the kernel chooses one that fits', () => expect(() => check(undefined, 'fd00::5')).not.toThrow());
it('less than 1280 with IPv6 is an error that names the MTU and the address', () => {
  expect(() => check(1279, '10.0.0.5', 'fd00::5')).toThrow(
    expect.objectContaining({
      code: ERROR_CODE.invalidConfig,
      message: expect.stringMatching(/1279 bytes .* fd00::5/),
    }),
  );
});
