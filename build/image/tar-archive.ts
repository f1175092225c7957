/** A file or a symbolic link, at a path without a leading slash. */
export type TarEntry =
  | { readonly path: string; readonly content: Buffer; readonly mode: number }
  | { readonly path: string; readonly linkTarget: string };

const BLOCK_BYTES = 512;
const KIND = { file: '0', link: '2', folder: '5' } as const;

/**
 * Makes a tar archive (POSIX ustar) that is the same for everybody at any time: sorted, owned by root, at time 0.
 * Parent folders are added automatically.
 *
 * @throws {Error} for a path that is too long for ustar, or that occurs twice
 */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const paths = entries.map(({ path }) => path);
  if (new Set(paths).size !== paths.length) {
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    throw new Error(`the path ${twice} occurs twice in the archive`);
  }
  const folders = new Set(paths.flatMap(foldersAbove));
  const blocks = [
    ...[...folders].map((path) => ({ path, blocks: [header(`${path}/`, KIND.folder, 0o755, 0, '')] })),
    ...entries.map((entry) => ({ path: entry.path, blocks: blocksOf(entry) })),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.concat([...blocks.flatMap((entry) => entry.blocks), Buffer.alloc(2 * BLOCK_BYTES)]);
}

function foldersAbove(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function blocksOf(entry: TarEntry): readonly Buffer[] {
  if ('linkTarget' in entry) return [header(entry.path, KIND.link, 0o777, 0, entry.linkTarget)];
  const { path, content, mode } = entry;
  return [
    header(path, KIND.file, mode, content.length, ''),
    content,
    Buffer.alloc(-content.length & (BLOCK_BYTES - 1)),
  ];
}

function header(path: string, kind: string, mode: number, sizeBytes: number, linkTarget: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  writeText(block, 0, 100, path);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0); // user
  writeOctal(block, 116, 8, 0); // group
  writeOctal(block, 124, 12, sizeBytes);
  writeOctal(block, 136, 12, 0); // time
  block.fill(' ', 148, 156); // the checksum is computed with blanks in its own field
  writeText(block, 156, 1, kind);
  writeText(block, 157, 100, linkTarget);
  writeText(block, 257, 8, 'ustar\u000000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function writeText(block: Buffer, at: number, lengthBytes: number, text: string): void {
  if (Buffer.byteLength(text) > lengthBytes) {
    throw new Error(`too long for a tar archive (at most ${lengthBytes} bytes): ${text}`);
  }
  block.write(text, at);
}

function writeOctal(block: Buffer, at: number, lengthBytes: number, value: number): void {
  writeText(block, at, lengthBytes, `${value.toString(8).padStart(lengthBytes - 1, '0')}\0`);
}
