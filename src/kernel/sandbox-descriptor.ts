import { closeSync, constants, openSync, statfsSync } from 'node:fs';
import { KernelError, NamespaceLostError } from '../system/kernel-error.ts';
import type { OwnNetns } from './netns.ts';
import { errnoOf } from '../system/error-text.ts';

/** The file system type of files that refer to a namespace, from linux/magic.h. */
const NSFS_MAGIC = 0x6e736673;

/** An open network namespace, or the reason why a path does not lead to one. */
export type SandboxDescriptor =
  | { readonly kind: 'open'; readonly fd: number; readonly isOwnNetns: boolean }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Opens the network namespace at a path. If the path leads to something else, it neither blocks (a FIFO) nor opens it
 * (a device).
 *
 * @throws {KernelError} EMFILE, ENFILE
 * @throws {NamespaceLostError}
 */
export function openSandboxDescriptor(path: string, ownNetns: OwnNetns): SandboxDescriptor {
  let fd: number | undefined;
  try {
    if (statfsSync(path).type !== NSFS_MAGIC) return unavailable('the file at this path is not a namespace');
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    ownNetns.visit(fd, () => undefined);
    return { kind: 'open', fd, isOwnNetns: ownNetns.isSameAs(fd) };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (error instanceof NamespaceLostError) throw error;
    const name = error instanceof KernelError ? error.errnoName : (errnoOf(error) ?? 'EIO');
    // This says nothing about the path: DEL would take the sandbox for removed, and leave the pod's interface in it.
    if (TOO_MANY_FILES.has(name)) throw new KernelError('open', path, name, { cause: error });
    return unavailable(REASONS[name] ?? 'it cannot be opened', name);
  }
}

/** True if a namespace is mounted at a path. Runtimes can leave a plain file where a namespace was mounted before. */
export function isNamespaceFile(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

const TOO_MANY_FILES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

// containerd ignores DEL errors that contain "not found", so no reason contains these words.
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'the path is too long',
  EACCES: 'permission is denied',
  EPERM: 'not permitted to enter it: CAP_SYS_ADMIN is needed, also in the user namespace that owns it',
  EINVAL: 'it is a namespace, but not a network namespace',
  ERR_INVALID_ARG_VALUE: 'the path contains a NUL',
};

function unavailable(reason: string, name?: string): SandboxDescriptor {
  return { kind: 'unavailable', reason: name === undefined ? reason : `${reason} (${name})` };
}
