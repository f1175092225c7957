import { expect, it } from 'vitest';
import { MacAddressError, parseMacAddress } from '../../src/address/mac-address.ts';

const reads = (given: string, canonical: string) =>
  it(`reads ${given}`, () => expect(parseMacAddress(given)).toBe(canonical));
reads('1e:05:be:ef:00:01', '1e:05:be:ef:00:01');
reads('1E:05:BE:EF:00:01', '1e:05:be:ef:00:01');
reads('1e-05-be-ef-00-01', '1e:05:be:ef:00:01');

const rejects = (why: string, text: string) =>
  it(`rejects ${why}`, () => expect(() => parseMacAddress(text)).toThrow(MacAddressError));
rejects('nothing', '');
rejects('five pairs', '1e:05:be:ef:00');
rejects('eight bytes, an EUI-64', '1e:05:be:ef:00:01:02:03');
rejects('a multicast address', '01:00:5e:00:00:01');
rejects('broadcast', 'ff:ff:ff:ff:ff:ff');
rejects('all zeros', '00:00:00:00:00:00');
rejects('a letter that is not a hexadecimal digit', '1e:05:be:ef:00:0g');
rejects('a line end', '1e:05:be:ef:00:01\n');
