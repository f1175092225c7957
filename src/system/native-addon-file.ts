import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { KernelError } from './kernel-error.ts';
import { errnoOf } from './error-text.ts';

export interface NativeAddonFile {
  /** Folder of all versions, whose parent is ours as well. What lies above must be there. */
  readonly root: string;
  readonly version: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** What it is called while it is written. Else a name of this process, which a later one of its id replaces. */
  readonly temporaryName?: string;
}

/**
 * The path of a file with these bytes that nobody but root can have written or can change. It is checked on every use and
 * written where it is missing or different, whole at once: many processes may do this at the same time.
 *
 * @param owners the users whose files are trusted: root
 * @throws {KernelError} naming the path and what to do
 */
export function unpackNativeAddon(
  { root, version, fileName, bytes, temporaryName = `.${process.pid}.new` }: NativeAddonFile,
  owners: ReadonlySet<number> = trustedOwners(),
): string {
  if (!/^[0-9A-Za-z][0-9A-Za-z.+-]*$/.test(version)) {
    throw new KernelError('unpack', fileName, 'EINVAL', { explanation: 'its version is no folder name' });
  }
  const folder = join(root, version);
  for (const path of [dirname(root), root, folder]) ensureFolder(path, owners);
  const path = join(folder, fileName);
  if (!isIntact(path, bytes, owners)) {
    writeWhole(path, join(folder, temporaryName), bytes);
    if (!isIntact(path, bytes, owners)) {
      throw new KernelError('unpack', path, 'EIO', {
        explanation: 'its bytes are others than those written; remove the file',
      });
    }
  }
  return path;
}

function ensureFolder(path: string, owners: ReadonlySet<number>): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) makeFolder(path);
  const stats = attempt('examine', path, () => lstatSync(path));
  if (!stats.isDirectory()) throw refused(path, 'ENOTDIR', 'it is no folder; remove it');
  if (!owners.has(stats.uid)) {
    throw refused(path, 'EACCES', `it belongs to user ${stats.uid} and not to root; remove it, or make it root's`);
  }
  if ((stats.mode & 0o077) !== 0) attempt('protect', path, () => chmodSync(path, 0o700));
}

function makeFolder(path: string): void {
  attempt('make', path, () => {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error; // another process was first
    }
  });
}

function isIntact(path: string, bytes: Uint8Array, owners: ReadonlySet<number>): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false; // missing, a link, a socket: replaced
  }
  try {
    const stats = fstatSync(fd);
    const isOurs = stats.isFile() && owners.has(stats.uid) && (stats.mode & 0o022) === 0 && stats.size === bytes.length;
    return isOurs && hasBytes(fd, bytes);
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

function writeWhole(path: string, temporary: string, bytes: Uint8Array): void {
  // One of this name is left from a process that was killed: a living one has another id.
  rmSync(temporary, { force: true });
  try {
    attempt('write', temporary, () => {
      const fd = openSync(
        temporary,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      try {
        writeFileSync(fd, bytes);
      } finally {
        closeSync(fd);
      }
    });
    attempt('write', path, () => renameSync(temporary, path));
  } finally {
    rmSync(temporary, { force: true });
  }
}

// Inside a user namespace the files of the real root show the overflow uid.
function trustedOwners(): ReadonlySet<number> {
  const isWholeRange = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  return new Set(isWholeRange ? [0] : [0, Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))]);
}

function attempt<Value>(operation: string, path: string, action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    const name = errnoOf(cause) ?? 'EIO';
    throw new KernelError(operation, path, name, { explanation: WHAT_TO_DO[name], cause });
  }
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only; run "podwire install" while it can be written, or mount it writable',
  ENOSPC: 'its file system is full; make room, or run "podwire install" before it is',
  EACCES: 'it cannot be written; only root can unpack native code',
  EPERM: 'it cannot be written; only root can unpack native code',
  EISDIR: 'a folder is in the way; remove it',
};

function refused(path: string, name: string, explanation: string): KernelError {
  return new KernelError('keep native code in', path, name, { explanation });
}
