import * as fc from 'fast-check';
import { IPv6 } from 'ip-num';
import { describe, expect, it } from 'vitest';
import { AddressError, addressFromBytes, parseIpAddress, type IpAddress } from '../../src/address/ip-address.ts';

describe('parseIpAddress', () => {
  const reads = (given: string, canonical: string) =>
    it(`reads ${given}`, () => expect(parseIpAddress(given).text).toBe(canonical));
  reads('10.0.0.5', '10.0.0.5');
  reads('255.255.255.255', '255.255.255.255');
  reads('::', '::');
  reads('::1', '::1');
  reads('FD00::5', 'fd00::5');
  reads('fd00:0000:0:0:0:0:0:0005', 'fd00::5');
  reads('2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1');
  reads('2001:0:0:1:0:0:0:1', '2001:0:0:1::1');
  reads('2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1');
  reads('1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0');

  const refuses = (why: string, text: string) =>
    it(`refuses ${why}`, () => expect(() => parseIpAddress(text)).toThrow(AddressError));
  refuses('nothing', '');
  refuses('three octets', '10.0.0');
  refuses('leading zeros, which are octal for some', '010.0.0.1');
  refuses('an octet of 256', '10.0.0.256');
  refuses('white space', ' 10.0.0.1');
  refuses('a zone', 'fe80::1%eth0');
  refuses('IPv4-mapped IPv6, which Go reads as IPv4', '::ffff:10.0.0.5');
  refuses('two runs of zeros', '1::2::3');
  refuses('nine groups', '1:2:3:4:5:6:7:8:9');
  refuses('a host name', 'localhost');
  refuses('a NUL', '10.0.0.1\0');

  it('names the text in its error, cut to a readable length', () => {
    expect(() => parseIpAddress('x'.repeat(10_000))).toThrow(/^"x{64}…" is not an IP address$/);
  });

  it('takes any text: an address or an AddressError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.%]{0,45}$/)), (text) => {
        const read = parseOrRefuse(text);
        expect(read === undefined || parseOrRefuse(read.text)?.text === read.text).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('IPv6 text', () => {
  it('is read as ip-num reads it', () => {
    const texts = fc.oneof(fc.ipV6(), fc.stringMatching(/^[0-9a-fA-F:]{0,40}$/));
    const isPlain = (text: string) => text.includes(':') && !text.includes('.');
    const agrees = (text: string) => {
      const ours = parseOrRefuse(text);
      const theirs = ipNumReads(text);
      if (ours === undefined) return theirs === undefined || isMapped(theirs);
      return theirs === Buffer.from(ours.bytes).toString('hex');
    };
    expect(() => fc.assert(fc.property(texts.filter(isPlain), agrees), { numRuns: 20_000 })).not.toThrow();
  });
});

describe('addressFromBytes', () => {
  it('the bytes of IPv4 are four, in network order', () => {
    expect([...parseIpAddress('10.0.1.255').bytes]).toEqual([10, 0, 1, 255]);
  });

  it('keeps the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
        (bytes) => {
          expect(addressFromBytes(bytes).bytes).toEqual(bytes);
        },
      ),
    );
  });

  it('copies the bytes: an address is a value', () => {
    const bytes = Uint8Array.of(10, 0, 0, 5);
    const address = addressFromBytes(bytes);
    bytes[3] = 6;
    expect(address).toEqual(parseIpAddress('10.0.0.5'));
  });

  it('bytes of another length are not an address', () => {
    expect(() => addressFromBytes(new Uint8Array(5))).toThrow(AddressError);
  });
});

function parseOrRefuse(text: string): IpAddress | undefined {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

function ipNumReads(text: string): string | undefined {
  try {
    return IPv6.fromString(text).getValue().toString(16).padStart(32, '0');
  } catch {
    return undefined;
  }
}

function isMapped(hex: string): boolean {
  return hex.startsWith('00000000000000000000ffff');
}
