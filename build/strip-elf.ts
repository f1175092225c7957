// strip(1) only supports the machine's own architecture, and each of its versions writes different bytes.

interface Section {
  readonly index: number;
  /** Its entry in the section header table. */
  readonly header: Buffer;
}

const HEADER_BYTES = 64;
const NO_BITS = 8; // SHT_NOBITS: takes memory, but no space in the file
const IN_MEMORY = 2n; // SHF_ALLOC
const AT = { flags: 8, offset: 24, size: 32, link: 40, info: 44 } as const;
const FLAGS_INFO_IS_INDEX = 0x40n; // SHF_INFO_LINK

/**
 * Returns the program without its symbol table and debugging data, which follow the last byte that is loaded into
 * memory.
 *
 * @throws {Error} if a part that is loaded follows one that is not
 */
export function stripElf(bytes: Buffer): Buffer {
  const sections = readSections(bytes);
  const nameTable = sections[bytes.readUInt16LE(62)];
  if (nameTable === undefined) throw new Error('the ELF file has no section names');
  const kept = sections.filter(({ index, header }) => index === 0 || isInMemory(header));
  const loadedEnd = Math.max(HEADER_BYTES, ...kept.map(({ header }) => endInFile(header)));
  const firstRemoved = Math.min(
    ...sections.filter((section) => !kept.includes(section)).map(({ header }) => offsetOf(header)),
  );
  if (firstRemoved < loadedEnd) throw new Error('the ELF file has debugging data before a part that is loaded');

  const names = bytes.subarray(offsetOf(nameTable.header), endInFile(nameTable.header));
  const namesHeader = Buffer.from(nameTable.header);
  namesHeader.writeBigUInt64LE(BigInt(loadedEnd), AT.offset);
  const order = [...kept.map(({ index }) => index), nameTable.index];
  const table = [...kept.map(({ header }) => renumbered(header, order)), namesHeader];
  const padding = Buffer.alloc(-(loadedEnd + names.length) & 7);

  const stripped = Buffer.concat([bytes.subarray(0, loadedEnd), names, padding, ...table]);
  stripped.writeBigUInt64LE(BigInt(loadedEnd + names.length + padding.length), 40);
  stripped.writeUInt16LE(table.length, 60);
  stripped.writeUInt16LE(table.length - 1, 62);
  return stripped;
}

function readSections(bytes: Buffer): readonly Section[] {
  const start = Number(bytes.readBigUInt64LE(40));
  return Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => ({
    index,
    header: bytes.subarray(start + index * HEADER_BYTES, start + (index + 1) * HEADER_BYTES),
  }));
}

function isInMemory(header: Buffer): boolean {
  return (header.readBigUInt64LE(AT.flags) & IN_MEMORY) !== 0n;
}

function offsetOf(header: Buffer): number {
  return Number(header.readBigUInt64LE(AT.offset));
}

function endInFile(header: Buffer): number {
  return header.readUInt32LE(4) === NO_BITS ? 0 : offsetOf(header) + Number(header.readBigUInt64LE(AT.size));
}

// A section refers to others by their index in the table. A reference to a removed section becomes 0, which means none.
function renumbered(header: Buffer, order: readonly number[]): Buffer {
  const copy = Buffer.from(header);
  const fields = (header.readBigUInt64LE(AT.flags) & FLAGS_INFO_IS_INDEX) === 0n ? [AT.link] : [AT.link, AT.info];
  for (const field of fields) copy.writeUInt32LE(Math.max(0, order.indexOf(header.readUInt32LE(field))), field);
  return copy;
}
