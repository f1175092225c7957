import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readNames } from '../system/files.ts';
import { removeFilesOfKilledInstallers, removeOldPluginFiles, type Locks } from './temporary-name.ts';

/**
 * Removes what killed processes left in the folder of all versions of the native code, and the folders of versions that
 * no process uses.
 *
 * A process that has loaded a file keeps it, even if the file is removed, and one that has not unpacks it again
 * (system/native-addon-file.ts). So removing a version is always safe. It is delayed, so that processes that started just
 * before the executable was replaced need not unpack again what would then be left.
 *
 * @param usedFolder the name of the folder that the executable on the node uses; `undefined`: no version is removed
 * @returns the names of what was removed
 */
export function cleanNativeCode(root: string, usedFolder: string | undefined, locks: Locks): readonly string[] {
  const names = readNames(root).filter((name) => isFolder(join(root, name)));
  const unused = usedFolder === undefined ? [] : names.filter((name) => name !== usedFolder && isUnused(root, name));
  for (const name of unused) removeAtOnce(root, name);
  const kept = names.filter((name) => !unused.includes(name));
  const removed = [...kept, '.'].flatMap((name) => {
    const folder = join(root, name);
    return [...removeFilesOfKilledInstallers(folder, locks), ...removeOldPluginFiles(folder)].map((file) =>
      join(name, file),
    );
  });
  return [...unused, ...removed];
}

/** Longer than any command takes between its start and the loading of its native code. */
const MAX_STARTING_MS = 10 * 60_000;

/** What {@link removeAtOnce} could not finish, because it was killed. */
const REMOVED_PREFIX = '.removed-';

function isUnused(root: string, name: string): boolean {
  return name.startsWith(REMOVED_PREFIX) || Date.now() - lstatSync(join(root, name)).mtimeMs > MAX_STARTING_MS;
}

// Under another name first: a process that finds only a part of its folder could write into it while it is removed.
function removeAtOnce(root: string, name: string): void {
  const removed = name.startsWith(REMOVED_PREFIX) ? name : `${REMOVED_PREFIX}${randomBytes(6).toString('hex')}`;
  if (removed !== name) renameSync(join(root, name), join(root, removed));
  rmSync(join(root, removed), { recursive: true, force: true });
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
