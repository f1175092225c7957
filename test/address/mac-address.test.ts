import { expect, it } from 'vitest';
import { MacAddressError, parseMacAddress } from '../../src/address/mac-address.ts';

const reads = (given: string, canonical: string) =>
  it(`reads ${given}`, () => expect(parseMacAddress(given)).toBe(canonical));
reads('1e:05:be:ef:00:01', '1e:05:be:ef:00:01');
reads('1E:05:BE:EF:00:01', '1e:05:be:ef:00:01');
reads('1e-05-be-ef-00-01', '1e:05:be:ef:00:01');

const refuses = (why: string, text: string) =>
  it(`refuses ${why}`, () => expect(() => parseMacAddress(text)).toThrow(MacAddressError));
refuses('nothing', '');
refuses('five pairs', '1e:05:be:ef:00');
refuses('eight bytes, an EUI-64', '1e:05:be:ef:00:01:02:03');
refuses('a multicast address, which no interface can have', '01:00:5e:00:00:01');
refuses('broadcast', 'ff:ff:ff:ff:ff:ff');
refuses('all zeros', '00:00:00:00:00:00');
refuses('letters that are no digits', '1e:05:be:ef:00:0g');
refuses('a line end', '1e:05:be:ef:00:01\n');
