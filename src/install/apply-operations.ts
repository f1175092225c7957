import { rm, rmdir, utimes } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { removeFile } from '../system/files.ts';
import { openNativeAddon, unpackNativeAddons } from '../system/native-addon.ts';
import type { Log } from '../log/log.ts';
import { readBinding } from './bind-executable.ts';
import { fileError } from './install-error.ts';
import type { Operation } from './operation.ts';
import { cleanNativeCode } from './native-folders.ts';
import { placeExecutable } from './place-executable.ts';
import { putInPlace, putVerified } from './put-in-place.ts';
import { removeFilesOfKilledInstallers, type Locks } from './temporary-name.ts';
import { verifyProgram } from './verify-program.ts';

/** What carrying out operations needs. */
export interface ApplyIo {
  readonly log: Log;
  readonly libc: Locks;
}

/**
 * Carries out the operations in their order, with one log line for each. After a failure, running the command again
 * continues with the rest.
 *
 * @throws {ExplainedError} for the first operation that fails
 */
export async function applyOperations(operations: readonly Operation[], { log, libc }: ApplyIo): Promise<void> {
  for (const operation of operations) {
    const line = await applyOperation(operation, libc);
    if (line !== undefined) log.info(line);
  }
}

async function applyOperation(operation: Operation, locks: Locks): Promise<string | undefined> {
  const { shownPath } = operation;
  switch (operation.kind) {
    case 'keep':
      return `${shownPath}: unchanged: ${operation.why}`;
    case 'place-program': {
      const { path, from } = operation;
      await putVerified({ path, content: { copyOf: from }, mode: 0o755 }, locks, (temporary) =>
        verifyProgram(temporary, shownPath),
      );
      return `${shownPath}: installed, after a test run`;
    }
    case 'place-executable': {
      const folder = await placeExecutable(operation, locks);
      return `${shownPath}: installed with its own libraries in ${folder}, after a test run`;
    }
    case 'write-file':
      putInPlace({ path: operation.path, content: operation.text.reveal(), mode: operation.mode }, locks);
      return `${shownPath}: written`;
    case 'unpack-native-code':
      for (const path of unpackNativeAddons(operation.folders, (target, bytes) =>
        putInPlace({ path: target, content: bytes, mode: 0o600 }, locks),
      )) {
        openNativeAddon(path);
      }
      return `${shownPath}: native code unpacked, and loaded from there`;
    case 'clean-native-code':
      return describeRemoved(shownPath, cleanNativeCode(operation.path, await usedFolderOf(operation), locks));
    case 'mark-as-replaced': {
      const now = new Date();
      // It may have been removed by hand.
      await utimes(operation.path, now, now).catch(() => undefined);
      return undefined;
    }
    case 'remove-abandoned-files':
      return describeRemoved(shownPath, removeFilesOfKilledInstallers(operation.path, locks));
    case 'remove-file':
      await withFileError('remove', operation.path, () => removeFile(operation.path, 'synced'));
      return `${shownPath}: removed`;
    case 'remove-folder':
      await withFileError('remove', operation.path, () => rm(operation.path, { recursive: true, force: true }));
      return `${shownPath}: removed`;
    case 'remove-folder-if-empty':
      // A folder that is a mount point cannot be removed, and one that has records is still needed.
      return rmdir(operation.path).then(
        () => `${shownPath}: removed`,
        () => undefined,
      );
    default:
      return operation satisfies never;
  }
}

function describeRemoved(shownPath: string, names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `${shownPath}: removed what is no longer used: ${names.join(', ')}`;
}

/** Its name below the folder of all versions. */
async function usedFolderOf({
  shownPath,
  program,
  unboundFolder,
}: Extract<Operation, { kind: 'clean-native-code' }>): Promise<string | undefined> {
  const bound = await readBinding(program);
  if (bound === undefined) return unboundFolder;
  return dirname(bound) === shownPath ? basename(bound) : 'none of them';
}

async function withFileError(operation: string, path: string, action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    throw fileError(operation, path, cause);
  }
}
