import { createHash } from 'node:crypto';
import type { ReleaseFile } from './release-file.ts';

/** Formats what `sha256sum --check` reads: a line for each file, sorted by name. */
export function formatChecksums(files: readonly ReleaseFile[]): string {
  const lines = files.map(({ name, content }) => `${sha256(content)}  ${name}\n`);
  return lines.toSorted((one, other) => (one.slice(64) < other.slice(64) ? -1 : 1)).join('');
}

/** The SHA-256 digest, in hexadecimal. */
export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
