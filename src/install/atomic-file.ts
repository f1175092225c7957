import { constants } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileFailure } from './file-failure.ts';
import { claimTemporaryName } from './temporary-file.ts';

/** What a file gets before it takes its name. */
export type FileContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'copy'; readonly from: string };

/**
 * A file that is whole under its name or not there at all, whenever the power fails; one that was there, running or being
 * read, stays what it was for whoever has it open.
 *
 * @param approve may refuse, by throwing, what is about to take the name
 * @throws {CniError} 5 with what to do
 */
export async function writeFileAtomically(
  path: string,
  filling: FileContent,
  mode: number,
  approve: (path: string) => Promise<void> = async () => undefined,
): Promise<void> {
  await using claimed = await claimTemporaryName(basename(path));
  const temporary = join(dirname(path), claimed.name);
  try {
    await fill(temporary, filling, mode);
    await approve(temporary);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw fileFailure('write', path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined); // it has its name, or the file system is read-only
  }
}

/** Removes a file, for good when this returns. One that is not there is removed already. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (cause) {
    throw fileFailure('remove', path, cause);
  }
}

async function fill(path: string, filling: FileContent, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  if (filling.kind === 'copy') await copyFile(filling.from, path, constants.COPYFILE_EXCL);
  const flags = filling.kind === 'copy' ? O_WRONLY | O_NOFOLLOW : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  await using file = await open(path, flags, 0o600);
  if (filling.kind === 'text') await file.writeFile(filling.text);
  await file.chmod(mode); // not in open, where the umask would have a say
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.sync();
}
