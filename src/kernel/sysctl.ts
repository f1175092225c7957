import { accessSync, closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { StepOf } from '../plan/step.ts';
import { KernelError } from '../system/kernel-error.ts';
import { errnoOf } from '../system/error-text.ts';

const ROOT = '/proc/sys';

/**
 * Writes one setting in the network namespace of the calling thread. It is synchronous, because that namespace is only
 * certain within one visit (see netns.ts). If /proc/sys is read-only, it succeeds if the setting has the value already.
 *
 * @param root for tests only
 * @returns a warning if the setting cannot be written and the step has a consequence
 * @throws {KernelError}
 */
export function writeSysctl(
  { key, value, whenMissing, ifValueIn, consequence, in: place }: StepOf<'write-sysctl'>,
  root = ROOT,
): string | undefined {
  const object = `${key} = ${value} (${place})`;
  const path = pathOf(key, root, 'write sysctl', object);
  if (ifValueIn !== undefined && !ifValueIn.some((unwanted) => hasValue(path, unwanted))) return undefined;
  try {
    writeExisting(path, value);
    return undefined;
  } catch (cause) {
    const name = errnoOf(cause) ?? 'EIO';
    if (name === 'ENOENT' && whenMissing === 'skip') return undefined;
    if (READ_ONLY.has(name) && hasValue(path, value)) return undefined;
    const error = new KernelError('write sysctl', object, name, { cause });
    if (consequence === undefined || !(name === 'ENOENT' || READ_ONLY.has(name))) throw error;
    return `${error.message}; continuing without it: ${consequence}`;
  }
}

/**
 * Reads one setting in the network namespace of the calling thread.
 *
 * @param root for tests only
 * @returns undefined if the setting does not exist, or if ADD continues without it because it is read-only
 * @throws {KernelError}
 */
export function readSysctl(
  { key, consequence, in: place }: Pick<StepOf<'write-sysctl'>, 'key' | 'consequence' | 'in'>,
  root = ROOT,
): string | undefined {
  const object = `${key} (${place})`;
  const path = pathOf(key, root, 'read sysctl', object);
  try {
    const value = readFileSync(path, 'utf8').trim();
    return consequence === undefined || isWritable(path) ? value : undefined;
  } catch (cause) {
    const name = errnoOf(cause) ?? 'EIO';
    if (name === 'ENOENT') return undefined;
    throw new KernelError('read sysctl', object, name, { cause });
  }
}

function pathOf(key: string, root: string, operation: string, object: string): string {
  if (key.startsWith('net/') && !key.split('/').includes('..')) return `${root}/${key}`;
  const explanation = 'only settings below net/ belong to a network namespace';
  throw new KernelError(operation, object, 'EINVAL', { explanation });
}

// Opens without O_CREAT, with which a file that is missing in /proc is reported as EACCES instead of ENOENT.
function writeExisting(path: string, value: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** The errors of a write where /proc/sys is read-only, as it is in a container. */
const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function hasValue(path: string, value: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() === value;
  } catch {
    return false;
  }
}
