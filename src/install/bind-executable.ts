import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { formatLibrarySlot, LIBRARY_SLOT, parseLibrarySlot } from '../system/library-folder.ts';
import { InstallError } from './install-error.ts';

/** Bytes of a file that are to be replaced. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * Binds an executable to a folder: the kernel gets the loader from there, and the loader gets the libraries from there
 * and from no other place, whatever LD_LIBRARY_PATH says. The file keeps its size and its layout: the paths are written
 * into a slot that is already loaded into memory (system/library-folder.ts).
 *
 * @param folder as the machine that runs the executable sees it
 * @throws {InstallError} if the file has no slot
 */
export async function bindExecutable(path: string, folder: string): Promise<void> {
  const patches = await planBinding(path, folder);
  await using file = await open(path, 'r+');
  for (const { offset, bytes } of patches) await file.write(bytes, 0, bytes.length, offset);
  await file.sync();
}

/** The changes that {@link bindExecutable} makes. */
export async function planBinding(path: string, folder: string): Promise<readonly Patch[]> {
  await using file = await open(path);
  const program = await readProgram(file);
  if (program === undefined) throw new InstallError(`${path} is not an executable that can be bound to libraries`);
  const { interpreter, dynamic, slot } = program;
  const content = formatLibrarySlot(folder, basename(await textAt(file, interpreter.offset)));
  const addressOf = (at: number): number => slot.address + at;
  const loaderEnd = content.indexOf(0, LIBRARY_SLOT.loaderAt);
  const header = headerOf({
    offset: slot.offset + LIBRARY_SLOT.loaderAt,
    address: addressOf(LIBRARY_SLOT.loaderAt),
    sizeBytes: loaderEnd - LIBRARY_SLOT.loaderAt + 1,
  });
  return [
    { offset: slot.offset, bytes: content },
    { offset: interpreter.headerAt + HEADER.offset, bytes: header },
    { offset: dynamic.offset, bytes: withRunPath(dynamic.entries, addressOf(LIBRARY_SLOT.folderAt)) },
  ];
}

/** The folder that an executable is bound to; `undefined` if it is bound to none, or is another program. */
export async function readBinding(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const program = await readProgram(file);
    return program === undefined ? undefined : parseLibrarySlot(program.slot.content);
  } catch {
    return undefined;
  }
}

/** The loader of an executable that can be bound; `undefined` for another program. */
export async function readLoaderPath(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const program = await readProgram(file);
    return program === undefined ? undefined : await textAt(file, program.interpreter.offset);
  } catch {
    return undefined;
  }
}

/** A program header, at `headerAt` in the file. */
interface Segment {
  readonly headerAt: number;
  readonly kind: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

interface Program {
  readonly interpreter: Segment;
  readonly dynamic: { readonly offset: number; readonly entries: Buffer };
  readonly slot: { readonly offset: number; readonly address: number; readonly content: Buffer };
}

/** From elf.h. */
const SEGMENT = { dynamic: 2, interpreter: 3, note: 4 } as const;
const DYNAMIC = { end: 0n, strings: 5n, runPath: 15n, flags1: 0x6ffffffbn } as const;
/** DF_1_NODEFLIB: the default folders and ld.so.cache are not searched. */
const NO_DEFAULT_FOLDERS = 0x800n;
const FILE_HEADER_BYTES = 64;
const HEADER = {
  sizeBytes: 56,
  offset: 8,
  address: 16,
  physicalAddress: 24,
  sizeInFile: 32,
  sizeInMemory: 40,
} as const;
const ENTRY_BYTES = 16;
/** The linker leaves some empty entries. The one that is used, and the end after it. */
const SPARE_BYTES = 2 * ENTRY_BYTES;
const MAX_TEXT_BYTES = 4096;

async function readProgram(file: FileHandle): Promise<Program | undefined> {
  const head = await readAt(file, 0, FILE_HEADER_BYTES);
  if (head.length < FILE_HEADER_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF' || head[4] !== 2) return undefined;
  const headersAt = Number(head.readBigUInt64LE(32));
  const headers = await readAt(file, headersAt, HEADER.sizeBytes * head.readUInt16LE(56));
  const segments = Array.from({ length: Math.floor(headers.length / HEADER.sizeBytes) }, (_, index): Segment => {
    const at = index * HEADER.sizeBytes;
    return {
      headerAt: headersAt + at,
      kind: headers.readUInt32LE(at),
      offset: Number(headers.readBigUInt64LE(at + HEADER.offset)),
      address: Number(headers.readBigUInt64LE(at + HEADER.address)),
      sizeBytes: Number(headers.readBigUInt64LE(at + HEADER.sizeInFile)),
    };
  });
  const find = (kind: number) => segments.find((segment) => segment.kind === kind);
  const [interpreter, dynamic, note] = [find(SEGMENT.interpreter), find(SEGMENT.dynamic), find(SEGMENT.note)];
  if (interpreter === undefined || dynamic === undefined || note === undefined) return undefined;
  const injected = await readAt(file, note.offset, note.sizeBytes);
  const slotAt = injected.indexOf(LIBRARY_SLOT.magic);
  if (slotAt < 0) return undefined;
  return {
    interpreter,
    dynamic: {
      offset: dynamic.offset,
      entries: await readAt(file, dynamic.offset, dynamic.sizeBytes + SPARE_BYTES),
    },
    slot: {
      offset: note.offset + slotAt,
      address: note.address + slotAt,
      content: injected.subarray(slotAt, slotAt + LIBRARY_SLOT.sizeBytes),
    },
  };
}

function headerOf({ offset, address, sizeBytes }: Pick<Segment, 'offset' | 'address' | 'sizeBytes'>): Buffer {
  const fields = Buffer.alloc(HEADER.sizeInMemory + 8 - HEADER.offset);
  [offset, address, address, sizeBytes, sizeBytes].forEach((value, index) =>
    fields.writeBigUInt64LE(BigInt(value), index * 8),
  );
  return fields;
}

// DT_RPATH and not DT_RUNPATH: it is searched before LD_LIBRARY_PATH, and for the libraries' own libraries, too. Its
// value is relative to the table of strings, and need not be in it.
function withRunPath(entries: Buffer, folderAddress: number): Buffer {
  const changed = Buffer.from(entries);
  const find = (tag: bigint): number => {
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      const found = entries.readBigUInt64LE(at);
      if (found === tag) return at;
      if (found === DYNAMIC.end) break;
    }
    return -1;
  };
  const [strings, flags, end] = [find(DYNAMIC.strings), find(DYNAMIC.flags1), find(DYNAMIC.end)];
  const runPath = find(DYNAMIC.runPath);
  const at = runPath < 0 ? end : runPath;
  const isSpare = at >= 0 && (runPath >= 0 || isEmpty(entries.subarray(at, at + SPARE_BYTES)));
  if (strings < 0 || flags < 0 || !isSpare) {
    throw new InstallError('the dynamic section of the executable has no room for a library folder');
  }
  changed.writeBigUInt64LE(entries.readBigUInt64LE(flags + 8) | NO_DEFAULT_FOLDERS, flags + 8);
  changed.writeBigUInt64LE(DYNAMIC.runPath, at);
  changed.writeBigUInt64LE(BigInt(folderAddress) - entries.readBigUInt64LE(strings + 8), at + 8);
  return changed;
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.length === SPARE_BYTES && bytes.every((byte) => byte === 0);
}

async function textAt(file: FileHandle, offset: number): Promise<string> {
  const bytes = await readAt(file, offset, MAX_TEXT_BYTES);
  return bytes.toString('latin1', 0, bytes.indexOf(0));
}

async function readAt(file: FileHandle, offset: number, sizeBytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offset);
  return buffer.subarray(0, bytesRead);
}
