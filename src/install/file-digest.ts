import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { planBinding, type Patch } from './bind-executable.ts';

/**
 * The digest of a file's bytes and of its execute bit: a copy that lost its execute bit is not an equal copy. An
 * executable has the same digest whatever folder it is bound to.
 *
 * @returns undefined if it is missing or is not a file
 */
export async function digestOfFile(
  path: string,
  mode: 'with its mode' | 'whatever its mode is' = 'with its mode',
): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isFile()) return undefined;
  const patches = await planBinding(path, '/').catch((): readonly Patch[] => []);
  await using file = await open(path);
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let offset = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, offset);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    for (const patch of patches) overlay(piece, offset, patch);
    hash.update(piece);
    offset += bytesRead;
  }
  const isInert = mode === 'with its mode' && (stats.mode & 0o111) === 0;
  return `${hash.digest('hex')}${isInert ? ' not executable' : ''}`;
}

const PIECE_BYTES = 1024 * 1024;

/** Writes the part of a patch that lies in a piece of the file. */
function overlay(piece: Buffer, pieceOffset: number, { offset, bytes }: Patch): void {
  const at = offset - pieceOffset;
  if (at < piece.length && at + bytes.length > 0) bytes.copy(piece, Math.max(0, at), Math.max(0, -at));
}
