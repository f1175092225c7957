import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { addAddressRequest, decodeAddress, dumpAddressesRequest } from '../../src/netlink/address-message.ts';
import { KernelError } from '../../src/system/kernel-error.ts';
import { NLM_F, RTM } from '../../src/netlink/constants.ts';
import { encodeByReference } from '../support/kernel/reference-encoder.ts';

it('an IPv4 address is as the reference encodes it', () => {
  const bytes = Buffer.from([10, 0, 0, 5]);
  expect(addAddressRequest(7, parseCidr('10.0.0.5/32'))).toEqual({
    type: RTM.NEWADDR,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    payload: encodeByReference({
      kind: 'address',
      data: { family: 2, prefixlen: 32, index: 7 },
      attrs: { local: bytes, address: bytes },
    }),
  });
});

it('an IPv6 address is as the reference encodes it, with IFA_F_NODAD', () => {
  const bytes = Buffer.from('fd000000000000000000000000000005', 'hex');
  expect(addAddressRequest(7, parseCidr('fd00::5/128')).payload).toEqual(
    encodeByReference({
      kind: 'address',
      data: { family: 10, prefixlen: 128, index: 7 },
      attrs: { local: bytes, address: bytes, flags: { nodad: true } },
    }),
  );
});

it.each(['10.0.0.5/24', 'fd00::5/128'])('%s is decoded as it was encoded', (text) => {
  const address = parseCidr(text);
  expect(decodeAddress(addAddressRequest(7, address).payload)).toEqual({ interfaceIndex: 7, address });
});

it('on a point-to-point link, the decoded address is that of this end', () => {
  const local = Buffer.from([10, 0, 0, 5]);
  const address = Buffer.from([10, 0, 0, 6]);
  const data = { family: 2, prefixlen: 32, index: 7 };
  expect(decodeAddress(encodeByReference({ kind: 'address', data, attrs: { address, local } }))).toMatchObject({
    address: parseCidr('10.0.0.5/32'),
  });
  expect(decodeAddress(encodeByReference({ kind: 'address', data, attrs: { address } }))).toMatchObject({
    address: parseCidr('10.0.0.6/32'),
  });
});

it('dumpAddressesRequest is for all addresses of a family', () =>
  expect(dumpAddressesRequest('ipv6')).toEqual({
    type: RTM.GETADDR,
    flags: NLM_F.DUMP,
    payload: encodeByReference({ kind: 'address', data: { family: 10 }, attrs: {} }),
  }));

it('decodeAddress decodes any bytes or throws a KernelError', () => {
  const read = (bytes: Uint8Array): unknown => {
    try {
      return decodeAddress(bytes);
    } catch (error) {
      return error;
    }
  };
  const isExpected = (value: unknown) => value instanceof KernelError || !(value instanceof Error);
  expect(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => isExpected(read(bytes))),
      { numRuns: 10_000 },
    ),
  ).not.toThrow();
});
