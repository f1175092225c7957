import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './error-text.ts';
import { isRunning, ownIdentity } from './process-identity.ts';

/** What a file is to contain. */
export type FileContent = string | Uint8Array | { readonly copyOf: string };

/**
 * `synced` survives a power failure. `cached` is faster, and enough for what belongs to this boot: after a power
 * failure the journal's records belong to an earlier boot, and what they named is released by the names of their files.
 */
export type Durability = 'cached' | 'synced';

export interface TemporaryFileOptions {
  /** The exact mode, whatever the umask is. The default is 0600. */
  readonly mode?: number;
  readonly durability?: Durability;
  /**
   * In the folder of the file. The default names this process, so that {@link removeAbandonedFiles} knows whether it
   * still writes.
   */
  readonly temporaryName?: string | undefined;
}

/** A complete file that does not have its own name yet. It is removed when it is disposed of without one. */
export interface TemporaryFile extends Disposable {
  readonly path: string;
  /**
   * Gives the file its name, unless something has that name already.
   *
   * @throws an errno of node:fs
   */
  create(): 'created' | 'exists';
  /**
   * Gives the file its name. Processes that have the previous file open keep it unchanged.
   *
   * @throws an errno of node:fs
   */
  replace(): void;
}

/**
 * Writes a file under a temporary name in its folder, so that no process ever reads an incomplete file: it takes its
 * own name only when the caller, who can inspect it first, says so.
 *
 * @throws an errno of node:fs
 */
export function writeTemporaryFile(
  path: string,
  content: FileContent,
  { mode, durability = 'cached', temporaryName = ownTemporaryName(basename(path)) }: TemporaryFileOptions = {},
): TemporaryFile {
  const temporary = join(dirname(path), temporaryName);
  writeNewFile(temporary, content, { mode, durability });
  let isLeft = true;
  const named = (): void => {
    if (durability === 'synced') syncFolder(dirname(path));
  };
  return {
    path: temporary,
    create() {
      try {
        linkSync(temporary, path);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') return 'exists';
        throw error;
      }
      named();
      return 'created';
    },
    replace() {
      renameSync(temporary, path);
      isLeft = false;
      named();
    },
    [Symbol.dispose]() {
      if (isLeft) discard(temporary);
    },
  };
}

/**
 * Creates a file (0600) and the missing folders above it (0700), unless the file exists.
 *
 * @throws an errno of node:fs
 */
export function createFile(path: string, text: string): 'created' | 'exists' {
  using file = writeInMissingFolders(path, text);
  return file.create();
}

/**
 * Creates or replaces a file (0600), and creates the missing folders above it (0700).
 *
 * @throws an errno of node:fs
 */
export function replaceFile(path: string, text: string): void {
  using file = writeInMissingFolders(path, text);
  file.replace();
}

/**
 * Removes a file, if it exists.
 *
 * @throws an errno of node:fs
 */
export function removeFile(path: string, durability: Durability = 'cached'): void {
  rmSync(path, { force: true });
  if (durability === 'synced') syncFolder(dirname(path));
}

/** Removes the temporary files that killed processes have left in a folder. */
export function removeAbandonedFiles(folder: string): void {
  for (const name of readNames(folder)) {
    const [, pid, startTicks = ''] = TEMPORARY_NAME.exec(name) ?? [];
    if (pid !== undefined && !isRunning({ pid: Number(pid), startTicks })) removeFile(join(folder, name));
  }
}

/**
 * Creates a folder (0700) and the missing ones above it. Not with the `recursive` of node:fs, which reports ENOENT for
 * a read-only file system and never returns below /proc.
 *
 * @throws an errno of node:fs
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error; // otherwise another process was first
  }
}

/**
 * The text of a file, or `undefined` if it cannot be read. Follows no link and does not wait for the writer of a FIFO.
 */
export function readText(path: string): string | undefined {
  try {
    const fd = openForReading(path);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/**
 * Opens a file for reading. Follows no link and does not wait for the writer of a FIFO.
 *
 * @returns its descriptor, which the caller closes, or `undefined` if the file does not exist
 * @throws an errno of node:fs
 */
export function openFileIfExists(path: string): number | undefined {
  try {
    return openForReading(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a folder, unless it contains something or is a mount point. */
export function removeFolderIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It is still needed.
  }
}

/** The names in a folder; empty if it cannot be read. */
export function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function openForReading(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

function writeInMissingFolders(path: string, text: string): TemporaryFile {
  try {
    return writeTemporaryFile(path, text);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    makeFolders(dirname(path));
    return writeTemporaryFile(path, text);
  }
}

/** What {@link ownTemporaryName} ends in. */
const TEMPORARY_NAME = /\.([0-9]+)-([0-9]+)\.new$/;

function ownTemporaryName(fileName: string): string {
  const { pid, startTicks } = ownIdentity();
  return `${fileName}.${pid}-${startTicks}.new`;
}

function writeNewFile(
  path: string,
  content: FileContent,
  { mode, durability }: { readonly mode: number | undefined; readonly durability: Durability },
): void {
  const { COPYFILE_EXCL, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const isCopy = typeof content === 'object' && 'copyOf' in content;
  // O_EXCL and O_NOFOLLOW: another process's file or link is never written to, and a name that is in use is not removed
  // below.
  if (isCopy) copyFileSync(content.copyOf, path, COPYFILE_EXCL);
  const fd = openSync(path, isCopy ? O_WRONLY | O_NOFOLLOW : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    if (!isCopy) writeFileSync(fd, content);
    if (mode !== undefined) fchmodSync(fd, mode); // not in open, to which the umask applies
    if (durability === 'synced') fsyncSync(fd);
  } catch (error) {
    discard(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The file system has become read-only: the next clean-up removes the file.
  }
}
