import { KernelError } from '../system/kernel-error.ts';
import { NLA_TYPE_MASK, NLMSG } from './constants.ts';

/** One attribute: type and value. A list as value makes a nested attribute, a number a 32-bit one, text ends with a NUL. */
export type Attribute = readonly [type: number, value: Uint8Array | number | string | readonly Attribute[]];

/** A message without sequence number, which the socket gives it. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  /** The type's fixed header and the attributes. */
  readonly payload: Uint8Array;
}

export interface NetlinkMessage extends NetlinkRequest {
  readonly sequence: number;
}

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;

/** Messages one behind the other, each padded to 4 bytes, as one send takes them. */
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

/** The type's fixed header, then the attributes in their order. */
export function encodePayload(header: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  return Buffer.concat([header, ...attributes.map(encodeAttribute)]);
}

/**
 * The messages of one datagram.
 *
 * @throws {KernelError} EBADMSG for lengths that do not fit
 */
export function decodeMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const bytes = asBuffer(datagram);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (bytes.length - offset < HEADER_BYTES) throw malformed('message header');
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER_BYTES || length > bytes.length - offset) throw malformed('message');
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
 * The attributes behind a message's fixed header, by type; of several with one type the last.
 *
 * @throws {KernelError} EBADMSG for lengths that do not fit
 */
export function decodeAttributes(payload: Uint8Array, headerBytes: number): ReadonlyMap<number, Buffer> {
  const bytes = asBuffer(payload);
  if (bytes.length < headerBytes) throw malformed('fixed header');
  const attributes = new Map<number, Buffer>();
  for (let offset = aligned(headerBytes); offset < bytes.length;) {
    if (bytes.length - offset < ATTRIBUTE_HEADER_BYTES) throw malformed('attribute header');
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - offset) throw malformed('attribute');
    attributes.set(
      bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK,
      bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length),
    );
    offset += aligned(length);
  }
  return attributes;
}

/**
 * The errno in a message that ends an answer: 0 is an acknowledgement. A dump's end need not have one.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeErrno(type: number, payload: Uint8Array): number {
  if (payload.length >= 4) return 0 - asBuffer(payload).readInt32LE(0);
  if (type === NLMSG.DONE) return 0;
  throw malformed('acknowledgement');
}

/**
 * A 32-bit attribute.
 *
 * @throws {KernelError} EBADMSG for another length
 */
export function decodeUint32(value: Buffer | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 4) throw malformed('32-bit attribute');
  return value.readUInt32LE(0);
}

/** Text that ends with a NUL, or with the attribute. */
export function decodeText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** A reply whose lengths do not fit together. */
export function malformed(part: string): KernelError {
  return new KernelError('read', 'the answer of the kernel', 'EBADMSG', {
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
