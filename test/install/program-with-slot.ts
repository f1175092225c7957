import { writeFileSync } from 'node:fs';
import { formatLibrarySlot } from '../../src/system/library-folder.ts';

/** What tests change in a program. */
export interface ProgramOverrides {
  readonly code: string;
  /** Empty entries at the end of the dynamic section, of which one is the end. */
  readonly emptyEntries: number;
  readonly slot: Buffer;
}

const ADDRESS = 0x400000;
const HEADERS_AT = 64;
const INTERPRETER_AT = 512;
const DYNAMIC_AT = 1024;
const SLOT_AT = 2048;
const LOADER = '/lib64/ld-linux-x86-64.so.2\0';

/**
 * Writes the parts of an executable for x64 that say where its loader and its libraries are: it cannot run, but it is
 * parsed as one. Its slot is empty.
 */
export function writeProgramWithSlot(path: string, overrides: Partial<ProgramOverrides> = {}): void {
  const { code = 'code', emptyEntries = 3, slot = formatLibrarySlot(undefined, '') } = overrides;
  const file = Buffer.alloc(SLOT_AT + slot.length);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(62, 18);
  file.writeBigUInt64LE(BigInt(HEADERS_AT), 32);
  file.writeUInt16LE(56, 54);
  const entries = [
    [5n, 0x400700n], // DT_STRTAB
    [0x6ffffffbn, 1n], // DT_FLAGS_1: NOW
    [0n, 0n],
  ];
  const segments = [
    { kind: 1, offset: 0, sizeBytes: file.length },
    { kind: 3, offset: INTERPRETER_AT, sizeBytes: LOADER.length },
    { kind: 2, offset: DYNAMIC_AT, sizeBytes: entries.length * 16 },
    { kind: 4, offset: SLOT_AT, sizeBytes: slot.length },
  ];
  file.writeUInt16LE(segments.length, 56);
  segments.forEach(({ kind, offset, sizeBytes }, index) => {
    const at = HEADERS_AT + index * 56;
    file.writeUInt32LE(kind, at);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(BigInt(ADDRESS + offset), at + 16);
    file.writeBigUInt64LE(BigInt(sizeBytes), at + 32);
  });
  file.write(LOADER, INTERPRETER_AT);
  entries.flat().forEach((value, index) => file.writeBigUInt64LE(value, DYNAMIC_AT + index * 8));
  // What follows the empty entries, as the global offset table does.
  file.write('the next section', DYNAMIC_AT + (entries.length - 1 + emptyEntries) * 16);
  file.write(code, DYNAMIC_AT + 512);
  slot.copy(file, SLOT_AT);
  writeFileSync(path, file, { mode: 0o755 });
}
