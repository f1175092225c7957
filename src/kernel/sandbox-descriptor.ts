import { closeSync, constants, openSync, statfsSync } from 'node:fs';
import { KernelError, NamespaceLostError } from '../system/kernel-error.ts';
import type { OwnNetns } from './netns.ts';
import { errnoOf } from '../system/error-text.ts';

/** The file system type of a namespace, from linux/magic.h. */
const NSFS_MAGIC = 0x6e736673;

/** An open network namespace, or why a path leads to none. */
export type SandboxDescriptor =
  | { readonly kind: 'open'; readonly fd: number; readonly isOwnNetns: boolean }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Opens the network namespace at a path. Never blocks on what is there instead (a FIFO), and opens no device.
 *
 * @throws {NamespaceLostError}
 */
export function openSandboxDescriptor(path: string, ownNetns: OwnNetns): SandboxDescriptor {
  let fd: number | undefined;
  try {
    if (statfsSync(path).type !== NSFS_MAGIC) return unavailable('a file that stands for no namespace is there');
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    ownNetns.visit(fd, () => undefined);
    return { kind: 'open', fd, isOwnNetns: ownNetns.isSameAs(fd) };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (error instanceof NamespaceLostError) throw error;
    const name = error instanceof KernelError ? error.errnoName : (errnoOf(error) ?? 'EIO');
    return unavailable(REASONS[name] ?? 'it cannot be opened', name);
  }
}

/** Whether a namespace is mounted at a path. A plain file, as runtimes leave it where a namespace was mounted, is none. */
export function isNamespaceFile(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

// containerd swallows DEL errors that contain "not found": a reason never says these words.
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'nothing is there',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'the path is too long',
  EACCES: 'permission is denied',
  EPERM: 'it may not be entered: CAP_SYS_ADMIN is needed, also in the user namespace that it belongs to',
  EINVAL: 'a namespace is there, but none of the network',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ERR_INVALID_ARG_VALUE: 'the path has a NUL in it',
};

function unavailable(reason: string, name?: string): SandboxDescriptor {
  return { kind: 'unavailable', reason: name === undefined ? reason : `${reason} (${name})` };
}
