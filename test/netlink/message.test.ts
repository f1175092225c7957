import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../../src/system/kernel-error.ts';
import {
  decodeAttributes,
  decodeErrno,
  decodeMessages,
  decodeText,
  decodeUint32,
  encodeMessages,
  encodePayload,
  malformed,
  type NetlinkMessage,
} from '../../src/netlink/message.ts';
import { NLMSG } from '../../src/netlink/constants.ts';

const message = (overrides: Partial<NetlinkMessage> = {}): NetlinkMessage => ({
  type: 16,
  flags: 5,
  sequence: 7,
  payload: Buffer.from('0102030405', 'hex'),
  ...overrides,
});

describe('messages', () => {
  it('stand behind each other at multiples of 4 bytes, each with its own length', () =>
    expect(Buffer.from(encodeMessages([message(), message({ sequence: 8 })])).toString('hex')).toBe(
      [
        '15000000100005000700000000000000',
        '0102030405000000',
        '15000000100005000800000000000000',
        '0102030405000000',
      ].join(''),
    ));

  it('come back as they were', () => {
    const anyMessage = fc.record({
      type: fc.nat(0xffff),
      flags: fc.nat(0xffff),
      sequence: fc.nat(0x7fffffff),
      payload: fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 5 }), (messages) => {
        expect(decodeMessages(encodeMessages(messages))).toEqual(messages);
      }),
    );
  });

  const refuses = (why: string, hex: string) =>
    it(`${why} is refused`, () => expect(() => decodeMessages(Buffer.from(hex, 'hex'))).toThrow(KernelError));
  refuses('a header cut short', '100000001000050007000000000000');
  refuses('a length below the header', '0f000000100005000700000000000000');
  refuses('a length of 0, which would never end', '00000000100005000700000000000000');
  refuses('a length beyond the end', '11000000100005000700000000000000');
  refuses('a length that is negative as a signed number', 'fcffffff100005000700000000000000');
});

describe('attributes', () => {
  const payload = encodePayload(Buffer.alloc(4), [
    [1, 'eth0'],
    [2, 0xfffffffe],
    [3, Buffer.from('aabbcc', 'hex')],
    [18, [[1, 'veth']]],
  ]);

  it('are padded to 4 bytes, text ends with a NUL', () =>
    expect(Buffer.from(payload).toString('hex')).toBe(
      [
        '00000000',
        '0900010065746830',
        '00000000',
        '08000200feffffff',
        '07000300aabbcc00',
        '10001200',
        '0900010076657468',
        '00000000',
      ].join(''),
    ));

  it('come back by type', () => {
    const attributes = decodeAttributes(payload, 4);
    expect(decodeText(attributes.get(1))).toBe('eth0');
    expect(decodeUint32(attributes.get(2))).toBe(0xfffffffe);
    expect(attributes.get(3)?.toString('hex')).toBe('aabbcc');
    expect(decodeText(decodeAttributes(attributes.get(18) ?? Buffer.alloc(0), 0).get(1))).toBe('veth');
    expect(decodeAttributes(Buffer.from('04001280', 'hex'), 0).has(18)).toBe(true); // flag of a nested one
    expect(decodeText(attributes.get(4))).toBeUndefined();
    expect(decodeUint32(attributes.get(4))).toBeUndefined();
  });

  it('text without a NUL ends with the attribute', () => expect(decodeText(Buffer.from('abc'))).toBe('abc'));

  const refuses = (why: string, hex: string) =>
    it(`${why} is refused`, () => expect(() => decodeAttributes(Buffer.from(hex, 'hex'), 0)).toThrow(KernelError));
  refuses('a header cut short', '0400');
  refuses('a length of 0, which would never end', '00000100');
  refuses('a length beyond the end', '0900010065746830');
  it('a fixed header cut short is refused', () =>
    expect(() => decodeAttributes(Buffer.alloc(15), 16)).toThrow(KernelError));
  it('a number of 3 bytes is refused', () => expect(() => decodeUint32(Buffer.alloc(3))).toThrow(KernelError));
});

describe('the errno of an answer', () => {
  const has = (why: string, type: number, hex: string, errno: number) =>
    it(why, () => expect(decodeErrno(type, Buffer.from(hex, 'hex'))).toBe(errno));
  has('an acknowledgement has 0', NLMSG.ERROR, '00000000', 0);
  has('EEXIST comes as -17', NLMSG.ERROR, 'efffffff', 17);
  has("a dump's end can have one", NLMSG.DONE, 'fcffffff', 4);
  has("a dump's end can have none", NLMSG.DONE, '', 0);
  it('an acknowledgement without one is refused', () =>
    expect(() => decodeErrno(NLMSG.ERROR, Buffer.alloc(3))).toThrow(KernelError));
});

describe('any bytes', () => {
  const isValueOrKernelError = (read: () => unknown): boolean => {
    try {
      return read() !== undefined;
    } catch (error) {
      return error instanceof KernelError;
    }
  };

  it('are messages and attributes, or a KernelError', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(20),
      (bytes, headerBytes) =>
        isValueOrKernelError(() =>
          decodeMessages(bytes).map(({ payload }) => decodeAttributes(payload, headerBytes)),
        ) && isValueOrKernelError(() => decodeAttributes(bytes, headerBytes)),
    );
    expect(() => fc.assert(property, { numRuns: 20_000 })).not.toThrow();
  });

  it('that are malformed say which part', () =>
    expect(malformed('message').message).toContain('a message has an impossible length'));
});
