import { statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isOwnedByRoot } from '../system/trusted-owner.ts';

/**
 * The path of an IPAM plugin: the first regular file of its name in CNI_PATH.
 *
 * @param type a bare file name; the netconf's parser has refused `/`, with which it could name any program of the node (CVE-2021-20206)
 * @throws {CniError} 102 if there is none, or if others than root could have written it: it would run as root
 */
export function findDelegate(type: string, pluginPath: readonly string[]): string {
  for (const directory of pluginPath) {
    const path = join(directory, type);
    const stats = statOf(path);
    if (stats?.isFile() !== true) continue;
    refuseForeign(path, stats);
    refuseNotExecutable(path, stats);
    const folder = statOf(directory);
    if (folder !== undefined) refuseForeign(directory, folder); // who can write there can put another program in its place
    return path;
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${type} is missing on this node; install it (package containernetworking-plugins) into a folder of CNI_PATH`,
    { details: `CNI_PATH: ${pluginPath.join(':') || 'empty'}` },
  );
}

// A folder of CNI_PATH that cannot be looked into (a link that loops, a name too long) has no plugin for us.
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function refuseForeign(path: string, stats: Stats): void {
  const { uid, mode } = stats;
  const isWritableByOthers = (mode & 0o022) !== 0;
  if (!isWritableByOthers && isOwnedByRoot(stats)) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin is not run, because others than root can change ${path}; ` +
      `check where it comes from, then: chown root:root ${path} && chmod 0755 ${path}`,
    { details: `owner ${uid}, mode ${(mode & 0o7777).toString(8)}` },
  );
}

function refuseNotExecutable(path: string, { mode }: Stats): void {
  if ((mode & 0o111) !== 0) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} cannot be run: nobody may execute it; chmod 0755 ${path}`,
    {
      details: `mode ${(mode & 0o7777).toString(8)}`,
    },
  );
}
