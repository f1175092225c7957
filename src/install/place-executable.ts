import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders, removeFolderIfEmpty } from '../system/files.ts';
import { KernelError } from '../system/kernel-error.ts';
import { openNativeAddon, unpackNativeAddons } from '../system/native-addon.ts';
import { bindExecutable, readBinding } from './bind-executable.ts';
import { digestOfFile } from './file-digest.ts';
import { fileError, InstallError } from './install-error.ts';
import type { OwnLibraries, Place } from './own-libraries.ts';
import { putInPlace, putVerified } from './put-in-place.ts';
import type { Locks } from './temporary-name.ts';
import { verifyProgram } from './verify-program.ts';

/** The executable that is to be put in place, with its libraries. */
export interface NewExecutable {
  readonly from: string;
  readonly path: string;
  readonly shownPath: string;
  readonly libraries: OwnLibraries;
  /** Tried in this order. */
  readonly places: readonly Place[];
}

/**
 * Puts the executable in place, bound to its libraries in the first folder from which it runs.
 *
 * The libraries are complete before the executable is bound to them, in a folder that no other build uses, and the
 * executable replaces the previous one at once. So the node never has an executable without its libraries.
 *
 * @returns the folder of the libraries, as the node sees it
 * @throws {InstallError} with the reason for each folder; then nothing was changed
 */
export async function placeExecutable(executable: NewExecutable, locks: Locks): Promise<string> {
  const problems: (Problem & { readonly onNode: string })[] = [];
  for (const { onNode, problem, here } of executable.places) {
    const found = problem === undefined ? await tryPlace({ here, onNode }, executable, locks) : { message: problem };
    if (found === undefined) return join(onNode, executable.libraries.folderName);
    problems.push({ ...found, onNode });
  }
  const reasons = Object.entries(Object.groupBy(problems, ({ message }) => message)).map(
    ([message, same]) => `${message} (libraries in ${same?.map(({ onNode }) => onNode).join(', ')})`,
  );
  const details = problems.find((problem) => problem.details !== undefined)?.details;
  throw new InstallError(
    `podwire cannot be put on this node: ${reasons.join('; ')}`,
    details === undefined ? {} : { details },
  );
}

/** Why an executable cannot be placed with its libraries in a folder. */
interface Problem {
  readonly message: string;
  readonly details?: string;
}

async function tryPlace(
  place: Omit<Place, 'problem'>,
  executable: NewExecutable,
  locks: Locks,
): Promise<Problem | undefined> {
  const { folderName } = executable.libraries;
  const folder = join(place.here, folderName);
  const isNew = !existsSync(folder);
  try {
    await placeIn(folder, join(place.onNode, folderName), executable, locks);
    return undefined;
  } catch (cause) {
    // Another installer of the same image may have been faster, and succeeded.
    const isUsed = (await readBinding(executable.path)) === join(place.onNode, folderName);
    if (isNew && !isUsed) rmSync(folder, { recursive: true, force: true });
    removeFolderIfEmpty(place.here);
    const error = fileError('write', folder, cause, 'folder');
    return error instanceof KernelError
      ? { message: error.message }
      : { message: error.message, details: error.details };
  }
}

async function placeIn(folder: string, onNode: string, executable: NewExecutable, locks: Locks): Promise<void> {
  const { from, path, shownPath, libraries } = executable;
  makeFolders(folder);
  // First, because this refuses folders of other users, and closes those that others can enter.
  const addons = unpackNativeAddons([dirname(folder), folder], (target, bytes) =>
    putInPlace({ path: target, content: bytes, mode: 0o600 }, locks),
  );
  await putLibraries(folder, libraries, locks);
  for (const addon of addons) openNativeAddon(addon);
  await putVerified({ path, content: { copyOf: from }, mode: 0o755 }, locks, async (temporary) => {
    await bindExecutable(temporary, folder);
    await verifyProgram(temporary, shownPath);
    await bindExecutable(temporary, onNode);
  });
}

async function putLibraries(folder: string, { files }: OwnLibraries, locks: Locks): Promise<void> {
  for (const { name, digest, content } of files) {
    const path = join(folder, name);
    if ((await digestOfFile(path)) === digest) continue;
    putInPlace({ path, content, mode: 0o755 }, locks);
  }
}
