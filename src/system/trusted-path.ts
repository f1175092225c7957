import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isOwnedByRoot, isOwnedByRootGroup } from './trusted-owner.ts';

/** A file or folder on the way to a program that users other than root can change. */
export interface ModifiablePath {
  readonly path: string;
  readonly stats: Stats;
}

/**
 * Finds what lets users other than root replace a file: the file itself, a folder on its way from `/`, or a link and
 * the folders on the way to its target. Resolves links as the kernel does. Costs one lstat for each part of the path.
 *
 * In a folder with the sticky bit, such as /tmp, other users can only replace what is theirs: an entry of root is safe there
 * (chmod(1), restricted deletion flag). The folder that contains the file must
 * not be sticky all the same, because others can add to it.
 *
 * @param path absolute
 * @returns undefined if only root can change the file
 * @throws an errno of node:fs
 */
export function findModifiablePath(path: string): ModifiablePath | undefined {
  const root = { path: '/', stats: lstatSync('/') };
  const rest = partsOf(path);
  let folders = [root];
  let links = 0;
  if (isOpenToOthers(root.stats) && !isSticky(root.stats)) return root;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      folders = folders.length > 1 ? folders.slice(0, -1) : folders;
      continue;
    }
    const folder = folders.at(-1) ?? root;
    const entryPath = join(folder.path, part);
    const entry = { path: entryPath, stats: lstatSync(entryPath) };
    if (!isOwnedByRoot(entry.stats)) return entry;
    if (entry.stats.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
      const target = readlinkSync(entryPath);
      if (isAbsolute(target)) folders = [root];
      rest.unshift(...partsOf(target));
      continue;
    }
    if (isOpenToOthers(entry.stats) && !isSticky(entry.stats)) return entry; // what is in it decides
    folders = [...folders, entry];
  }
  const last = folders.findLast(({ stats }) => stats.isDirectory()) ?? root;
  return isSticky(last.stats) ? last : undefined;
}

/** As in the kernel: path_resolution(7). */
const MAX_LINKS = 40;

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Whether users other than root can change a file, or replace what a folder contains. The group root has no members. */
export function isOpenToOthers(stats: Pick<Stats, 'uid' | 'gid' | 'mode'>): boolean {
  const isOpenToGroup = (stats.mode & 0o020) !== 0 && !isOwnedByRootGroup(stats);
  return !isOwnedByRoot(stats) || isOpenToGroup || (stats.mode & 0o002) !== 0;
}

function isSticky({ mode }: Stats): boolean {
  return (mode & 0o1000) !== 0 && (mode & 0o022) !== 0;
}
