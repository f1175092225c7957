import { chmodSync, closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from './error-text.ts';
import { removeAbandonedFiles, writeTemporaryFile } from './files.ts';
import { KernelError } from './kernel-error.ts';
import { isOwnedByRoot } from './trusted-owner.ts';

export interface NativeAddonFile {
  /** The folders that belong to podwire, from the outermost to that of the file. The folder above them must exist. */
  readonly folders: readonly string[];
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /**
   * Writes the file atomically, and throws an errno of node:fs; the caller then also removes abandoned files. The default
   * names this process in the temporary file.
   */
  readonly write?: (path: string, bytes: Uint8Array) => void;
}

/**
 * Opens a file that {@link unpackNativeAddon} has unpacked. If it has been removed in the meantime, it is unpacked again:
 * an installer removes what belongs to other versions, and this process may be one of an older version that has just
 * started.
 *
 * @param open throws ENOENT if the file is missing
 * @throws {KernelError} naming the path and what to do
 */
export function openUnpackedAddon<Opened>(addon: NativeAddonFile, open: (path: string) => Opened): Opened {
  for (let triesLeft = MAX_TRIES - 1; ; triesLeft--) {
    try {
      return open(unpackNativeAddon(addon));
    } catch (error) {
      const isRemoved = error instanceof KernelError && error.errnoName === 'ENOENT';
      if (!isRemoved || triesLeft === 0) throw error;
    }
  }
}

/** An installer removes the folder of a version once. More removals mean that something else is wrong. */
const MAX_TRIES = 4;

/**
 * The path of a file with these bytes that only root can have written or can change. The file is checked on every use,
 * and written atomically if it is missing or different: many processes may do this at the same time.
 *
 * @param isTrusted whether the owner of a file is trusted
 * @throws {KernelError} naming the path and what to do
 */
export function unpackNativeAddon(addon: NativeAddonFile, isTrusted: IsTrusted = isOwnedByRoot): string {
  const { folders, fileName, bytes, write = writeBesideOthers } = addon;
  for (const path of folders) ensureFolder(path, isTrusted);
  const path = join(folders.at(-1) ?? '/', fileName);
  if (!isIntact(path, bytes, isTrusted)) {
    attempt('write', path, () => write(path, bytes));
    if (!isIntact(path, bytes, isTrusted)) {
      throw new KernelError('unpack', path, 'EIO', {
        explanation: 'its bytes differ from those that were written; remove the file',
        finding: 'PW109',
      });
    }
  }
  return path;
}

type IsTrusted = (stats: { readonly uid: number }) => boolean;

function ensureFolder(path: string, isTrusted: IsTrusted): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) makeFolder(path);
  const stats = attempt('examine', path, () => lstatSync(path));
  if (!stats.isDirectory()) throw untrustedFolderError(path, 'ENOTDIR', 'it is not a folder; remove it');
  if (!isTrusted(stats)) {
    const why = `it belongs to user ${stats.uid} and not to root; remove it, or make it root's`;
    throw untrustedFolderError(path, 'EACCES', why);
  }
  if ((stats.mode & 0o077) !== 0) closeToOthers(path, stats.mode);
}

function closeToOthers(path: string, mode: number): void {
  attempt('protect', path, () => {
    try {
      chmodSync(path, 0o700);
    } catch (error) {
      // In a read-only image, for example, whose folders others can read.
      if (errnoOf(error) !== 'EROFS' || (mode & 0o022) !== 0) throw error;
    }
  });
}

function makeFolder(path: string): void {
  attempt('create', path, () => {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error; // another process was first
    }
  });
}

function isIntact(path: string, bytes: Uint8Array, isTrusted: IsTrusted): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false; // it is missing, a link or a socket, and is replaced
  }
  try {
    const stats = fstatSync(fd);
    const isProtected = stats.isFile() && isTrusted(stats) && (stats.mode & 0o022) === 0;
    return isProtected && stats.size === bytes.length && hasBytes(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

// In pieces that fit a processor's cache: half the time of reading the whole file (0.4 ms for koffi's 1.1 MB).
function hasBytes(fd: number, bytes: Uint8Array): boolean {
  const piece = Buffer.allocUnsafe(65_536);
  for (let offset = 0; offset < bytes.length;) {
    const length = readSync(fd, piece);
    const isEqual =
      length > 0 && piece.compare(bytes, offset, Math.min(offset + length, bytes.length), 0, length) === 0;
    if (!isEqual) return false;
    offset += length;
  }
  return true;
}

function writeBesideOthers(path: string, bytes: Uint8Array): void {
  removeAbandonedFiles(dirname(path));
  using file = writeTemporaryFile(path, bytes);
  file.replace();
}

function attempt<Value>(operation: string, path: string, action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    const name = errnoOf(cause) ?? 'EIO';
    throw new KernelError(operation, path, name, { explanation: REMEDIES[name], finding: 'PW109', cause });
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only; run "podwire install" while it is writable, or mount it writable',
  ENOSPC: 'its file system is full; free some space, or run "podwire install" before it is full',
  EACCES: 'it cannot be written; only root can unpack native code',
  EPERM: 'it cannot be written; only root can unpack native code',
  EISDIR: 'a folder has its name; remove that folder',
  ENOENT: 'its folder was removed at the same moment; run the command again',
};

function untrustedFolderError(path: string, errnoName: string, explanation: string): KernelError {
  return new KernelError('keep native code in', path, errnoName, { explanation, finding: 'PW109' });
}
