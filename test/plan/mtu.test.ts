import { expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { assertMtuFitsAddresses } from '../../src/plan/mtu.ts';

const check = (mtuBytes: number | undefined, ...addresses: string[]) =>
  assertMtuFitsAddresses(mtuBytes, addresses.map(parseIpAddress));

it('IPv4 works with little', () => expect(() => check(68, '10.0.0.5')).not.toThrow());
it('IPv6 with 1280', () => expect(() => check(1280, '10.0.0.5', 'fd00::5')).not.toThrow());
it('no MTU is the kernel’s own', () => expect(() => check(undefined, 'fd00::5')).not.toThrow());
it('less than 1280 with IPv6 is refused by the address and the number', () => {
  expect(() => check(1279, '10.0.0.5', 'fd00::5')).toThrow(
    expect.objectContaining({
      code: ERROR_CODE.invalidConfig,
      message: expect.stringMatching(/1279 bytes .* fd00::5/),
    }),
  );
});
