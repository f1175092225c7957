import { describe, expect, it } from 'vitest';
import { linkLocalAddress } from '../../src/address/link-local-address.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';

describe('linkLocalAddress', () => {
  const derives = (mac: string, address: string) =>
    it(`${mac} gives ${address}`, () => expect(linkLocalAddress(parseMacAddress(mac)).text).toBe(address));
  derives('ee:ee:ee:ee:ee:ee', 'fe80::ecee:eeff:feee:eeee');
  derives('1e:91:92:9b:3f:be', 'fe80::1c91:92ff:fe9b:3fbe');
  derives('02:00:00:00:00:01', 'fe80::ff:fe00:1');
});
