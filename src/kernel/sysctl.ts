import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { Step } from '../plan/step.ts';
import { KernelError } from '../system/kernel-error.ts';
import { errnoOf } from '../system/error-text.ts';

const ROOT = '/proc/sys';

/**
 * Writes one setting of the network namespace that the calling thread is in: synchronous, so that this is still so.
 * Where /proc/sys is read-only, a setting that has the value already is good enough.
 *
 * @throws {KernelError}
 */
export function writeSysctl(
  { key, value, whenMissing, in: place }: Extract<Step, { kind: 'write-sysctl' }>,
  root = ROOT,
): void {
  const object = `${key} = ${value} (${place})`;
  const path = pathOf(key, root, 'write sysctl', object);
  try {
    writeExisting(path, value);
  } catch (cause) {
    const name = errnoOf(cause) ?? 'EIO';
    if (name === 'ENOENT' && whenMissing === 'skip') return;
    if (IS_READ_ONLY.has(name) && isAlready(path, value)) return;
    throw new KernelError('write sysctl', object, name, { cause });
  }
}

/**
 * One setting of the network namespace that the calling thread is in, or `undefined` if there is no such setting.
 *
 * @throws {KernelError}
 */
export function readSysctl(
  { key, in: place }: Pick<Extract<Step, { kind: 'write-sysctl' }>, 'key' | 'in'>,
  root = ROOT,
): string | undefined {
  const object = `${key} (${place})`;
  const path = pathOf(key, root, 'read sysctl', object);
  try {
    return readFileSync(path, 'utf8').trim();
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

// Without O_CREAT, which in /proc turns "missing" into "permission denied".
function writeExisting(path: string, value: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

const IS_READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);

function isAlready(path: string, value: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() === value;
  } catch {
    return false;
  }
}
