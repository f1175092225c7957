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
  decodePayload,
  encodePayload,
  familyNumber,
  malformedMessageError,
  optionalAttribute,
  type NetlinkMessage,
} from '../../src/netlink/message.ts';
import { AF, NLMSG } from '../../src/netlink/constants.ts';

const message = (overrides: Partial<NetlinkMessage> = {}): NetlinkMessage => ({
  type: 16,
  flags: 5,
  sequence: 7,
  payload: Buffer.from('0102030405', 'hex'),
  ...overrides,
});

describe('messages', () => {
  it('are encoded one after the other at multiples of 4 bytes, each with its own length', () =>
    expect(Buffer.from(encodeMessages([message(), message({ sequence: 8 })])).toString('hex')).toBe(
      [
        '15000000100005000700000000000000',
        '0102030405000000',
        '15000000100005000800000000000000',
        '0102030405000000',
      ].join(''),
    ));

  it('are decoded as they were encoded', () => {
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

  const rejects = (why: string, hex: string) =>
    it(`with ${why} are malformed`, () => expect(() => decodeMessages(Buffer.from(hex, 'hex'))).toThrow(KernelError));
  rejects('a truncated header', '100000001000050007000000000000');
  rejects('a length below the header', '0f000000100005000700000000000000');
  rejects('a length of 0, which would loop forever', '00000000100005000700000000000000');
  rejects('a length beyond the end', '11000000100005000700000000000000');
  rejects('a length that is negative as a signed number', 'fcffffff100005000700000000000000');
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

  it('are decoded by type', () => {
    const { header, attributes } = decodePayload(payload, 4);
    expect(header).toEqual(Buffer.alloc(4));
    expect(decodeText(attributes.get(1))).toBe('eth0');
    expect(decodeUint32(attributes.get(2))).toBe(0xfffffffe);
    expect(attributes.get(3)?.toString('hex')).toBe('aabbcc');
    expect(decodeText(decodeAttributes(attributes.get(18) ?? Buffer.alloc(0)).get(1))).toBe('veth');
    expect(decodeAttributes(Buffer.from('04001280', 'hex')).has(18)).toBe(true); // with the flag of a nested attribute
    expect(decodeText(attributes.get(4))).toBeUndefined();
    expect(decodeUint32(attributes.get(4))).toBeUndefined();
  });

  it('of text without a NUL end with the attribute', () => expect(decodeText(Buffer.from('abc'))).toBe('abc'));

  const rejects = (why: string, hex: string) =>
    it(`with ${why} are malformed`, () => expect(() => decodeAttributes(Buffer.from(hex, 'hex'))).toThrow(KernelError));
  rejects('a truncated header', '0400');
  rejects('a length of 0, which would loop forever', '00000100');
  rejects('a length beyond the end', '0900010065746830');
  it('after a truncated fixed header are malformed', () =>
    expect(() => decodePayload(Buffer.alloc(15), 16)).toThrow(KernelError));
  it('of 3 bytes are not a 32-bit number', () => expect(() => decodeUint32(Buffer.alloc(3))).toThrow(KernelError));
});

describe('the errno of a reply', () => {
  const has = (why: string, type: number, hex: string, errno: number) =>
    it(why, () => expect(decodeErrno(type, Buffer.from(hex, 'hex'))).toBe(errno));
  has('is 0 in an acknowledgement', NLMSG.ERROR, '00000000', 0);
  has('is 17 for EEXIST, which the kernel sends as -17', NLMSG.ERROR, 'efffffff', 17);
  has('is in the end of a dump', NLMSG.DONE, 'fcffffff', 4);
  has('is 0 in the end of a dump without one', NLMSG.DONE, '', 0);
  it('is required in an acknowledgement', () =>
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

  it('are decoded as messages and attributes or throw a KernelError', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(20),
      (bytes, headerBytes) =>
        isValueOrKernelError(() => decodeMessages(bytes).map(({ payload }) => decodePayload(payload, headerBytes))) &&
        isValueOrKernelError(() => decodePayload(bytes, headerBytes)),
    );
    expect(() => fc.assert(property, { numRuns: 20_000 })).not.toThrow();
  });

  it('that are malformed are an error that names the part', () =>
    expect(malformedMessageError('message').message).toContain('a message has an impossible length'));
});

it('an optional attribute is left out if it has no value', () => {
  expect(optionalAttribute(4, 1500)).toEqual([[4, 1500]]);
  expect(optionalAttribute(4, undefined)).toEqual([]);
});

it('a family has the number of its address family', () =>
  expect([familyNumber('ipv4'), familyNumber('ipv6')]).toEqual([AF.INET, AF.INET6]));
