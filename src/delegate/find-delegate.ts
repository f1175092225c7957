import { statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { findModifiablePath, type ModifiablePath } from '../system/trusted-path.ts';

/**
 * The absolute path of an IPAM plugin: the first regular file of its name in CNI_PATH. A relative folder, such as
 * `./bin`, is below the working folder.
 *
 * @param type a bare file name; the parser of the netconf rejects `/`, which could name any program of the node
 *   (CVE-2021-20206)
 * @throws {CniError} delegateFailed (102) if there is no such file, or {@link assertRunnable} refuses it
 */
export function findDelegate(type: string, pluginPath: readonly string[]): string {
  for (const folder of pluginPath) {
    const path = `${absoluteFolder(folder)}/${type}`;
    const stats = statIfReadable(path);
    if (stats?.isFile() !== true) continue;
    assertRunnable(path, stats);
    return path;
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${type} is missing on this node; install it (package containernetworking-plugins) into a folder of CNI_PATH`,
    { details: `CNI_PATH: ${pluginPath.join(':') || 'empty'}`, finding: 'PW103' },
  );
}

/**
 * Checks that a program can be executed, and that only root can change or replace it: it runs as root.
 *
 * @param path absolute
 * @param show what a message calls a path: an installer sees the node's folders at other paths
 * @throws {CniError} delegateFailed, naming the file or folder and what to do
 */
export function assertRunnable(
  path: string,
  { mode }: Pick<Stats, 'mode'>,
  show: (path: string) => string = (shown) => shown,
): void {
  assertOnlyRootCanChange(path, show);
  if ((mode & 0o111) !== 0) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${show(path)} cannot be run: it is not executable; run chmod 0755 ${show(path)}`,
    {
      details: `mode ${(mode & 0o7777).toString(8)}`,
      finding: 'PW104',
    },
  );
}

/**
 * Checks that only root can change a program, or the folder that is to contain it.
 *
 * @throws {CniError} delegateFailed, naming the file or folder and what to do
 */
export function assertOnlyRootCanChange(path: string, show: (path: string) => string): void {
  const modifiable = findModifiablePath(path);
  if (modifiable !== undefined) throw modifiableError({ ...modifiable, path: show(modifiable.path) });
}

// The kernel resolves `..` after a link, path.resolve before it. The working folder's own path contains no link.
function absoluteFolder(folder: string): string {
  const [, first = '', rest = ''] = /^((?:\.{1,2}(?:\/+|$))*)(.*)$/s.exec(folder) ?? [];
  return (folder.startsWith('/') ? folder : `${resolve(first)}/${rest}`).replace(/\/+$/, '');
}

// A folder of CNI_PATH that cannot be read (a link that loops, a name that is too long) is skipped.
function statIfReadable(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function modifiableError({ path, stats: { uid, gid, mode } }: ModifiablePath): CniError {
  const isSticky = (mode & 0o1000) !== 0;
  const remedy = isSticky
    ? 'move the plugins into a folder that only root can change'
    : `check where it comes from, then: chown root:root ${path} && chmod 0755 ${path}`;
  return new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin is not run, because users other than root can change ${path}; ${remedy}`,
    { details: `owner ${uid}, group ${gid}, mode ${(mode & 0o7777).toString(8)}`, finding: 'PW104' },
  );
}
