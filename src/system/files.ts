import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from './error-text.ts';
import { isRunning, ownIdentity } from './process-identity.ts';

// A record is never seen half written: it is made under another name. Nobody waits for the disk: what a power failure takes away belongs
// to an earlier boot afterwards, and its leases are released by what the file's name says.

/**
 * Makes a file, and the folders above it, unless it is there.
 *
 * @throws an errno of node:fs
 */
export function createFile(path: string, text: string): 'created' | 'exists' {
  const temporary = writeTemporary(path, text);
  try {
    linkSync(temporary, path);
    return 'created';
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists';
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Makes a file, and the folders above it, in place of what is there.
 *
 * @throws an errno of node:fs
 */
export function replaceFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** @throws an errno of node:fs, but not for a file that is not there */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** Removes what processes that were killed in the middle of writing have left in a folder. */
export function removeAbandoned(folder: string): void {
  for (const name of readNames(folder)) {
    const [, pid, startTicks = ''] = /\.([0-9]+)-([0-9]+)\.new$/.exec(name) ?? [];
    if (pid !== undefined && !isRunning({ pid: Number(pid), startTicks })) removeFile(join(folder, name));
  }
}

/** The text of a file, `undefined` if it cannot be read. Follows no link and waits for no FIFO. */
export function readText(path: string): string | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** The names in a folder, none if it cannot be read. */
export function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function writeTemporary(path: string, text: string): string {
  const { pid, startTicks } = ownIdentity();
  const temporary = `${path}.${pid}-${startTicks}.new`;
  try {
    writeNew(temporary, text);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    makeFolders(dirname(path));
    writeNew(temporary, text);
  }
  return temporary;
}

// Not with `recursive`: Node then says ENOENT for a read-only disk, and never ends below /proc.
function makeFolders(path: string): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeFolders(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

// O_EXCL and O_NOFOLLOW: nobody else's file or link is ever written to.
function writeNew(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(fd, text);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
