import { statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isOwnedByRoot } from '../system/trusted-owner.ts';

/**
 * The path of an IPAM plugin: the first regular file of its name in CNI_PATH.
 *
 * @param type a bare file name; the parser of the netconf rejects `/`, which could name any program of the node
 *   (CVE-2021-20206)
 * @throws {CniError} delegateFailed (102) if there is no such file, or users other than root could have written it: it
 *   would run as root
 */
export function findDelegate(type: string, pluginPath: readonly string[]): string {
  for (const directory of pluginPath) {
    const path = join(directory, type);
    const stats = statIfReadable(path);
    if (stats?.isFile() !== true) continue;
    assertOnlyRootCanWrite(path, stats);
    assertExecutable(path, stats);
    const folder = statIfReadable(directory);
    if (folder !== undefined) assertOnlyRootCanWrite(directory, folder); // a user who can write there can replace the program
    return path;
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${type} is missing on this node; install it (package containernetworking-plugins) into a folder of CNI_PATH`,
    { details: `CNI_PATH: ${pluginPath.join(':') || 'empty'}` },
  );
}

// A folder of CNI_PATH that cannot be read (a link that loops, a name that is too long) is skipped.
function statIfReadable(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function assertOnlyRootCanWrite(path: string, stats: Stats): void {
  const { uid, mode } = stats;
  const isWritableByOthers = (mode & 0o022) !== 0;
  if (!isWritableByOthers && isOwnedByRoot(stats)) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin is not run, because users other than root can change ${path}; ` +
      `check where it comes from, then: chown root:root ${path} && chmod 0755 ${path}`,
    { details: `owner ${uid}, mode ${(mode & 0o7777).toString(8)}` },
  );
}

function assertExecutable(path: string, { mode }: Stats): void {
  if ((mode & 0o111) !== 0) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} cannot be run: it is not executable; run chmod 0755 ${path}`,
    {
      details: `mode ${(mode & 0o7777).toString(8)}`,
    },
  );
}
