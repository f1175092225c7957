import { expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { addAddressRequest } from '../../src/kernel/address-message.ts';
import { NLM_F, RTM } from '../../src/kernel/rtnetlink-constants.ts';
import { encodeByJudge } from '../support/kernel-message-judge.ts';

it('an IPv4 address is as the judge encodes it', () => {
  const bytes = Buffer.from([10, 0, 0, 5]);
  expect(addAddressRequest(7, parseCidr('10.0.0.5/32'))).toEqual({
    type: RTM.NEWADDR,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    payload: encodeByJudge({
      kind: 'address',
      data: { family: 2, prefixlen: 32, index: 7 },
      attrs: { local: bytes, address: bytes },
    }),
  });
});

it('an IPv6 address is as the judge encodes it, without duplicate address detection', () => {
  const bytes = Buffer.from('fd000000000000000000000000000005', 'hex');
  expect(addAddressRequest(7, parseCidr('fd00::5/128')).payload).toEqual(
    encodeByJudge({
      kind: 'address',
      data: { family: 10, prefixlen: 128, index: 7, flags: { nodad: true } },
      attrs: { local: bytes, address: bytes },
    }),
  );
});
