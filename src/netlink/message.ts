import type { Family } from '../address/family.ts';
import { KernelError } from '../system/kernel-error.ts';
import { AF, NLA_TYPE_MASK, NLMSG } from './constants.ts';

/**
 * An attribute. A list encodes as a nested attribute, a number as a 32-bit one and a string as text with a NUL at its
 * end.
 */
export type Attribute = readonly [type: number, value: Uint8Array | number | string | readonly Attribute[]];

/** A message without its sequence number, which the socket assigns. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  /** The fixed header of the message type, then the attributes. */
  readonly payload: Uint8Array;
  /**
   * For a dump: opens a filter for one reply, which says what to keep; all by default. What it rejects is dropped while
   * the reply arrives: a pod decides how many objects its namespace has, and must not decide how much memory we use.
   */
  readonly openFilter?: () => (payload: Uint8Array) => boolean;
}

/** One message as it is sent or received. */
export interface NetlinkMessage extends Omit<NetlinkRequest, 'openFilter'> {
  readonly sequence: number;
}

/** struct nlmsghdr */
const HEADER_BYTES = 16;
/** struct nlattr */
const ATTRIBUTE_HEADER_BYTES = 4;

/** Encodes messages one after the other, each padded to 4 bytes: the data of one send. */
export function encodeMessages(messages: readonly NetlinkMessage[]): Uint8Array {
  const lengths = messages.map(({ payload }) => aligned(HEADER_BYTES + payload.length));
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  messages.forEach(({ type, flags, sequence, payload }, index) => {
    bytes.writeUInt32LE(HEADER_BYTES + payload.length, offset);
    bytes.writeUInt16LE(type, offset + 4);
    bytes.writeUInt16LE(flags, offset + 6);
    bytes.writeUInt32LE(sequence, offset + 8);
    bytes.set(payload, offset + HEADER_BYTES);
    offset += lengths[index] ?? 0;
  });
  return bytes;
}

/** Encodes the payload of a message: the fixed header of its type, then the attributes in order. */
export function encodePayload(header: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  return Buffer.concat([header, ...attributes.map(encodeAttribute)]);
}

/**
 * Decodes the messages of one datagram.
 *
 * @throws {KernelError} EBADMSG for a length that does not fit
 */
export function decodeMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const bytes = asBuffer(datagram);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (bytes.length - offset < HEADER_BYTES) throw malformedMessageError('message header');
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER_BYTES || length > bytes.length - offset) throw malformedMessageError('message');
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      payload: bytes.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += aligned(length);
  }
  return messages;
}

/**
 * Decodes the payload of a message: the fixed header of its type, and the attributes as {@link decodeAttributes} does.
 *
 * @throws {KernelError} EBADMSG for a length that does not fit
 */
export function decodePayload(
  payload: Uint8Array,
  headerBytes: number,
): { readonly header: Buffer; readonly attributes: ReadonlyMap<number, Buffer> } {
  const bytes = asBuffer(payload);
  if (bytes.length < headerBytes) throw malformedMessageError('fixed header');
  return {
    header: bytes.subarray(0, headerBytes),
    attributes: decodeAttributes(bytes.subarray(aligned(headerBytes))),
  };
}

/**
 * Decodes attributes, or the attributes inside a nested one, by type. If a type occurs several times, the last one
 * counts.
 *
 * @throws {KernelError} EBADMSG for a length that does not fit
 */
export function decodeAttributes(encoded: Uint8Array): ReadonlyMap<number, Buffer> {
  const bytes = asBuffer(encoded);
  const attributes = new Map<number, Buffer>();
  for (let offset = 0; offset < bytes.length;) {
    if (bytes.length - offset < ATTRIBUTE_HEADER_BYTES) throw malformedMessageError('attribute header');
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - offset) throw malformedMessageError('attribute');
    attributes.set(
      bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK,
      bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length),
    );
    offset += aligned(length);
  }
  return attributes;
}

/**
 * Decodes the errno of the message that ends a reply: 0 if the request succeeded. The end of a dump can lack an errno.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeErrno(type: number, payload: Uint8Array): number {
  if (payload.length >= 4) return 0 - asBuffer(payload).readInt32LE(0);
  if (type === NLMSG.DONE) return 0;
  throw malformedMessageError('acknowledgement');
}

/**
 * Decodes a 32-bit attribute, if there is one.
 *
 * @throws {KernelError} EBADMSG for another length
 */
export function decodeUint32(value: Buffer | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 4) throw malformedMessageError('32-bit attribute');
  return value.readUInt32LE(0);
}

/** Decodes a text attribute, if there is one. The text ends at a NUL or at the end of the attribute. */
export function decodeText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** The attribute if it has a value, else nothing. */
export function optionalAttribute(type: number, value: Attribute[1] | undefined): readonly Attribute[] {
  return value === undefined ? [] : [[type, value]];
}

/** The number of an address family in messages: AF_INET or AF_INET6. */
export function familyNumber(family: Family): number {
  return family === 'ipv6' ? AF.INET6 : AF.INET;
}

/** The error for a reply in which a length is impossible. */
export function malformedMessageError(part: string): KernelError {
  return new KernelError('read', 'the reply of the kernel', 'EBADMSG', {
    explanation: `a ${part} has an impossible length`,
  });
}

function encodeAttribute([type, value]: Attribute): Uint8Array {
  const isNested = typeof value === 'object' && !(value instanceof Uint8Array);
  const encoded = isNested ? Buffer.concat(value.map(encodeAttribute)) : encodeValue(value);
  const bytes = Buffer.alloc(aligned(ATTRIBUTE_HEADER_BYTES + encoded.length));
  bytes.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + encoded.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(encoded, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

function encodeValue(value: Uint8Array | number | string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  if (typeof value !== 'number') return value;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
