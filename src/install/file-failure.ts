import { CniError, ERROR_CODE } from '../cni/error.ts';
import { errnoOf, messageOf } from '../system/error-text.ts';

/** An error of node:fs in words that tell what to do. A CniError stays as it is. */
export function fileFailure(operation: string, path: string, cause: unknown): CniError {
  if (cause instanceof CniError) return cause;
  const code = errnoOf(cause) ?? 'unknown error';
  const remedy = REMEDIES[code] ?? 'see the details';
  const details = messageOf(cause);
  return new CniError(ERROR_CODE.inputOutput, `cannot ${operation} ${path} (${code}): ${remedy}`, { details, cause });
}

const REMEDIES: Readonly<Record<string, string>> = {
  EROFS:
    "it is mounted read-only: take readOnly off its volumeMount, or install where the node's file system can be written",
  ENOSPC: "the node's file system is full: make room, then run this again; what stood there still stands",
  EDQUOT:
    "the quota of the node's file system is used up: make room, then run this again; what stood there still stands",
  EACCES:
    "it may not be written: run this as root (runAsUser: 0), and make the folder root's (chown root:root) if it is not",
  EPERM: 'it may not be written: run this as root (runAsUser: 0), and see whether the file is immutable (lsattr)',
  ENOENT: "its folder is missing: mount the node's folder there, or run this on the node itself with --root /",
  ENOTDIR: 'a part of its path is no folder: mount the folder of the node, not a file',
  EISDIR: 'a folder of that name is in the way: remove it',
};
