import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CniError } from '../cni/error.ts';
import { errnoOf, messageOf } from '../system/error-text.ts';
import { KernelError } from '../system/kernel-error.ts';

/** Why the installer stops, and what to do about it. `message` is complete without the details. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  readonly details: string;

  constructor(message: string, { details = '', cause }: { readonly details?: string; readonly cause?: unknown } = {}) {
    super(message, { cause });
    this.details = details;
  }
}

/** An error that explains itself. Any other is a bug. */
export type ExplainedError = InstallError | CniError | KernelError;

export function isExplained(error: unknown): error is ExplainedError {
  return error instanceof InstallError || error instanceof CniError || error instanceof KernelError;
}

/** One line: what failed, and its details. */
export function formatExplainedError(error: ExplainedError): string {
  const details = error instanceof KernelError ? '' : error.details;
  return details === '' ? error.message : `${error.message} (${details})`;
}

/**
 * An error of node:fs, with a remedy. An error that explains itself is returned unchanged.
 *
 * @param kind what the path names
 */
export function fileError(
  operation: string,
  path: string,
  cause: unknown,
  kind: 'file' | 'folder' = 'file',
): ExplainedError {
  if (isExplained(cause)) return cause;
  const code = errnoOf(cause) ?? 'unknown error';
  const remedy = code === 'ENOENT' ? describeMissing(path, kind) : (REMEDIES[code] ?? 'see the details');
  return new InstallError(`cannot ${operation} ${path} (${code}): ${remedy}`, { details: messageOf(cause), cause });
}

function describeMissing(path: string, kind: 'file' | 'folder'): string {
  if (kind === 'file' && existsSync(dirname(path))) return 'the file is missing: correct its path, or create it';
  const what = kind === 'file' ? 'its folder' : 'the folder';
  return `${what} is missing: mount the node's folder there, or run this on the node itself with --root /`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EROFS:
    "it is mounted read-only: remove readOnly from its volumeMount, or install where the node's file system is writable",
  ENOSPC: "the node's file system is full: free some space, then run this again; the previous file is unchanged",
  EDQUOT:
    "the quota of the node's file system is used up: free some space, then run this again; the previous file is unchanged",
  EACCES: 'permission denied: run this as root (runAsUser: 0), and check that root owns the folder (chown root:root)',
  EPERM: 'not permitted: run this as root (runAsUser: 0), and check whether the file is immutable (lsattr)',
  ENOTDIR: 'a part of its path is not a folder: mount the folder of the node, not a file',
  EISDIR: 'a folder has this name: remove the folder',
};
