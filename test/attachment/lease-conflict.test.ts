import { expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { assertNotAddressOfNode } from '../../src/attachment/lease-conflict.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';

const address = parseIpAddress('10.0.0.5');

it('an address that no interface of the node has is accepted', () =>
  expect(
    assertNotAddressOfNode({ addresses: [address] }, 'host-local', {
      kernel: { findHostAddress: async () => undefined },
    }),
  ).resolves.toBeUndefined());

it('an address that an interface of the node has is an error that names both and the IPAM plugin', () =>
  expect(
    assertNotAddressOfNode({ addresses: [address] }, 'host-local', {
      kernel: { findHostAddress: async () => ({ address, interfaceName: 'uplink' }) },
    }),
  ).rejects.toMatchObject({
    code: ERROR_CODE.delegateFailed,
    message: expect.stringMatching(/host-local returned 10\.0\.0\.5.*interface uplink/),
  }));
