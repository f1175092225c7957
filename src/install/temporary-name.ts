import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openFileIfExists, readNames, removeFile } from '../system/files.ts';
import type { Libc, LibcLoader } from '../system/libc.ts';

/** Loads the C library, which has the locks that Node does not offer. */
export type Locks = Pick<LibcLoader, 'load'>;

/**
 * The name of a file that is being written. The file counts as abandoned once this is disposed of, or the process has
 * ended.
 */
export interface TemporaryName extends Disposable {
  readonly name: string;
}

/**
 * A name in a folder that no runtime reads: it begins with a dot and ends in `.tmp`.
 *
 * Beside it is a file that this process has locked. A process id would mean nothing to an installer in another
 * container, but a lock belongs to the file, whichever namespace it is seen from, and the kernel releases it when the
 * process ends for any reason. Only root can open the file, so that no other user can hold its lock.
 *
 * @throws an errno of node:fs
 * @throws {KernelError} if the file system supports no locks
 */
export function claimTemporaryName(folder: string, fileName: string, locks: Locks): TemporaryName {
  const libc = locks.load();
  for (;;) {
    const claim = `${NAME_PREFIX}${fileName}.${randomBytes(6).toString('hex')}`;
    const lockPath = join(folder, `${claim}${LOCK_SUFFIX}`);
    const fd = openSync(lockPath, constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    // Another installer may have seen the file before it was locked. Then it holds the lock, or has removed the file.
    if (isClaimed(fd, libc)) {
      return {
        name: `${claim}${CONTENT_SUFFIX}`,
        [Symbol.dispose]: () => {
          removeFile(lockPath);
          closeSync(fd);
        },
      };
    }
    closeSync(fd);
  }
}

/** Removes the temporary files in a folder whose process has ended, and returns their names. */
export function removeFilesOfKilledInstallers(folder: string, locks: Locks): readonly string[] {
  const names = readNames(folder).filter((name) => name.startsWith(NAME_PREFIX));
  const claims = new Set(names.map((name) => name.replace(/\.(?:lock|tmp)$/, '')));
  return [...claims].flatMap((claim) => {
    const removed = names.filter((name) => name === `${claim}${CONTENT_SUFFIX}` || name === `${claim}${LOCK_SUFFIX}`);
    return removeIfAbandoned(folder, claim, locks) ? removed : [];
  });
}

/**
 * Removes the incomplete files that the plugin itself has left in a folder, and returns their names. The names say which
 * process wrote them, but of another PID namespace, so only their age counts here.
 */
export function removeOldPluginFiles(folder: string): readonly string[] {
  const old = readNames(folder).filter(
    (name) => name.endsWith('.new') && isOlderThan(join(folder, name), MAX_WRITING_MS),
  );
  for (const name of old) removeFile(join(folder, name));
  return old;
}

const NAME_PREFIX = '.podwire-new-';
const CONTENT_SUFFIX = '.tmp';
const LOCK_SUFFIX = '.lock';

/** Longer than writing any file takes. */
const MAX_WRITING_MS = 10 * 60_000;

function isClaimed(fd: number, libc: Pick<Libc, 'tryLock'>): boolean {
  try {
    return libc.tryLock(fd) && fstatSync(fd).nlink > 0;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function removeIfAbandoned(folder: string, claim: string, locks: Locks): boolean {
  const content = join(folder, `${claim}${CONTENT_SUFFIX}`);
  const lockPath = join(folder, `${claim}${LOCK_SUFFIX}`);
  const fd = openFileIfExists(lockPath);
  if (fd === undefined) {
    // Its process is just removing it, or it is of an earlier version, which locked no file.
    if (!isOlderThan(content, MAX_WRITING_MS)) return false;
    removeFile(content);
    return true;
  }
  try {
    if (!locks.load().tryLock(fd)) return false;
    // The lock is removed last and while it is held: a kill in between leaves what the next installer recognizes.
    for (const path of [content, lockPath]) removeFile(path);
    return true;
  } finally {
    closeSync(fd);
  }
}

function isOlderThan(path: string, ageMs: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > ageMs;
}
