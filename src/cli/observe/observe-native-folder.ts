import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quoteForShell } from '../../diagnosis/check-runtime.ts';
import type { NativeFolder, Seen } from '../../diagnosis/facts.ts';
import { readBinding } from '../../install/bind-executable.ts';
import { mountOf } from './mount-of.ts';
import type { NodeFiles } from './node-files.ts';

/** Where an executable that brings no libraries unpacks its native code. */
const STATE = '/var/lib/podwire';

/** Finds the folder from which the installed podwire loads its native code, and whether that can work. It writes nothing. */
export async function observeNativeFolder(files: NodeFiles): Promise<Seen<NativeFolder>> {
  const installed = join(files.layout.here.programs, 'podwire');
  if (!existsSync(installed)) return { kind: 'unseen', why: 'podwire is not installed in the folder of plugins' };
  const folder = (await readBinding(installed)) ?? `${STATE}/native`;
  const existing = nearestExisting(files.at(folder));
  const { uid } = statSync(existing);
  const shown = files.show(existing);
  const mount = mountOf(existing);
  if (mount?.options.includes('noexec') === true) {
    const point = quoteForShell(files.show(mount.folder));
    return seen(folder, `${files.show(mount.folder)} is mounted noexec`, [`mount -o remount,exec ${point}`]);
  }
  if (uid !== 0 && uid !== OVERFLOW_UID) {
    return seen(folder, `${shown} belongs to user ${uid} and not to root`, [`chown root:root ${quoteForShell(shown)}`]);
  }
  return seen(folder, undefined, []);
}

/** The user that files of the real root have in a user namespace. */
const OVERFLOW_UID = 65_534;

function seen(folder: string, problem: string | undefined, fix: readonly string[]): Seen<NativeFolder> {
  return { kind: 'seen', value: { folder, problem, fix } };
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === '/' ? path : nearestExisting(dirname(path));
}
