import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** More than any file that podwire reads has, and what its parser of JSON accepts. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file of the node. It never waits, as it would for a FIFO, and reads no more than {@link MAX_BYTES}.
 *
 * @throws {Error} an errno of node:fs, or what it is instead of a file
 */
export function readRegularFile(path: string): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
    if (stats.size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
