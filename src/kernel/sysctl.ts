import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { Step } from '../plan/step.ts';
import { KernelError, errnoNameOf } from './kernel-error.ts';

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
  if (!key.startsWith('net/') || key.split('/').includes('..')) {
    throw new KernelError('write sysctl', object, 'EINVAL', { explanation: 'only settings below net/ can be written' });
  }
  const path = `${root}/${key}`;
  try {
    writeExisting(path, value);
  } catch (cause) {
    const name = errnoNameOf(cause);
    if (name === 'ENOENT' && whenMissing === 'skip') return;
    if (IS_READ_ONLY.has(name) && readSysctl(path) === value) return;
    throw new KernelError('write sysctl', object, name, { cause });
  }
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

function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
