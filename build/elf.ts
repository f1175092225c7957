import type { Architecture } from './architecture.ts';

export interface Elf {
  readonly architecture: Architecture;
  /** The absolute path of the dynamic loader; `undefined` for a library and a static program. */
  readonly interpreter: string | undefined;
  /** The names of the shared libraries that it needs. */
  readonly needed: readonly string[];
}

/** A part of the file, as its program header describes it. */
interface Segment {
  readonly kind: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeInFile: number;
}

const ARCHITECTURES: Readonly<Record<number, Architecture>> = { 62: 'x64', 183: 'arm64' };
const SEGMENT = { load: 1, dynamic: 2, interpreter: 3 } as const;
const DYNAMIC = { needed: 1n, strings: 5n } as const;

/** Checks whether these are the first bytes of an ELF file. */
export function isElf(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString('latin1') === '\x7fELF';
}

/**
 * Parses what a program or a library requires from the machine.
 *
 * @throws {Error} for anything but a 64-bit little-endian ELF file for x64 or arm64
 */
export function parseElf(bytes: Buffer): Elf {
  if (!isElf(bytes) || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not a 64-bit little-endian ELF file');
  const machine = bytes.readUInt16LE(18);
  const architecture = ARCHITECTURES[machine];
  if (architecture === undefined) throw new Error(`the ELF file is for machine ${machine}, neither x64 nor arm64`);
  const segments = readSegments(bytes);
  const interpreter = segments.find(({ kind }) => kind === SEGMENT.interpreter);
  return {
    architecture,
    interpreter: interpreter === undefined ? undefined : textAt(bytes, interpreter.offset),
    needed: readNeeded(bytes, segments),
  };
}

function readSegments(bytes: Buffer): readonly Segment[] {
  const start = Number(bytes.readBigUInt64LE(32));
  const sizeBytes = bytes.readUInt16LE(54);
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = start + index * sizeBytes;
    return {
      kind: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      sizeInFile: Number(bytes.readBigUInt64LE(at + 32)),
    };
  });
}

function readNeeded(bytes: Buffer, segments: readonly Segment[]): readonly string[] {
  const dynamic = segments.find(({ kind }) => kind === SEGMENT.dynamic);
  if (dynamic === undefined) return [];
  const entries = Array.from({ length: dynamic.sizeInFile / 16 }, (_, index) => {
    const at = dynamic.offset + index * 16;
    return { tag: bytes.readBigUInt64LE(at), value: Number(bytes.readBigUInt64LE(at + 8)) };
  });
  const strings = entries.find(({ tag }) => tag === DYNAMIC.strings);
  if (strings === undefined) throw new Error('the ELF file has a dynamic section without strings');
  const stringsAt = offsetOf(strings.value, segments);
  return entries.filter(({ tag }) => tag === DYNAMIC.needed).map(({ value }) => textAt(bytes, stringsAt + value));
}

function offsetOf(address: number, segments: readonly Segment[]): number {
  const segment = segments.find(
    ({ kind, address: start, sizeInFile }) => kind === SEGMENT.load && address >= start && address < start + sizeInFile,
  );
  if (segment === undefined) throw new Error(`the ELF file has no segment for address ${address}`);
  return segment.offset + address - segment.address;
}

function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, bytes.indexOf(0, offset));
}
