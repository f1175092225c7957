import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders, readNames, removeFolderIfEmpty } from '../system/files.ts';

/**
 * The folder of the records of a network: `networks/NAME`, apart from what else podwire keeps.
 *
 * The first versions kept them in `NAME` itself, and a network named `native` shared its folder with the native code.
 * Records that are left there are moved first.
 *
 * @returns the old folder if the records in it cannot be moved, because the file system is read-only or full
 */
export function recordFolder(parentFolder: string, network: string): string {
  const [folder, oldFolder] = [join(parentFolder, 'networks', network), join(parentFolder, network)];
  const names = readNames(oldFolder).filter((name) => RECORD_NAME.test(name));
  if (names.length === 0) return folder;
  try {
    makeFolders(folder);
    // A command of the old version may still write there, and what it writes is newer.
    for (const name of names) renameSync(join(oldFolder, name), join(folder, name));
  } catch {
    // Another process may have moved them at the same time.
    return readNames(oldFolder).some((name) => RECORD_NAME.test(name)) ? oldFolder : folder;
  }
  removeFolderIfEmpty(oldFolder);
  return folder;
}

/** A record of any kind, or the note that the first command after a boot has cleaned up. */
const RECORD_NAME = /^(.+\.json|swept-boot)$/;
