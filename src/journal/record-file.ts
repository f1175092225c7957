import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../system/files.ts';

/** A record has a few hundred bytes, plus the network configuration and CNI_ARGS. */
const MAX_BYTES = 1024 * 1024;

/**
 * The text of a record's file. `undefined` if nothing has this name; empty, as of a damaged record, if it is not a regular file, cannot be
 * read, is larger than a record can be, or belongs to another user than its folder. Follows no link and does not wait for the writer of a FIFO.
 */
export function readRecordText(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      const isUsable = stats.isFile() && stats.size <= MAX_BYTES && stats.uid === lstatSync(dirname(path)).uid;
      return isUsable ? readFileSync(fd, 'utf8') : '';
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/**
 * Creates or replaces a file, whatever has its name.
 *
 * @throws an errno of node:fs
 */
export function replaceRecordFile(path: string, text: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeRecordFile(path);
  replaceFile(path, text);
}

/**
 * Removes whatever has the name of a record. A link is removed, not what it leads to.
 *
 * @throws an errno of node:fs, but not if nothing has this name
 */
export function removeRecordFile(path: string): void {
  rmSync(path, { force: true, recursive: true });
}
