import { rm, rmdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { removeFile, writeTemporaryFile, type FileContent } from '../system/files.ts';
import { openNativeAddon, unpackNativeAddons } from '../system/native-addon.ts';
import type { Log } from '../log/log.ts';
import { fileError } from './install-error.ts';
import type { Operation } from './operation.ts';
import { claimTemporaryName } from './temporary-name.ts';
import { verifyProgram } from './verify-program.ts';

/**
 * Carries out the operations in their order, with one log line for each. After a failure, running the command again
 * continues with the rest.
 *
 * @throws {ExplainedError} for the first operation that fails
 */
export async function applyOperations(operations: readonly Operation[], log: Log): Promise<void> {
  for (const operation of operations) {
    const line = await applyOperation(operation);
    if (line !== undefined) log.info(line);
  }
}

async function applyOperation(operation: Operation): Promise<string | undefined> {
  const { shownPath } = operation;
  switch (operation.kind) {
    case 'keep':
      return `${shownPath}: unchanged: ${operation.why}`;
    case 'place-program': {
      const { path, from, nodeRoot } = operation;
      await putInPlace(path, { copyOf: from }, 0o755, (temporary) => verifyProgram(temporary, shownPath, nodeRoot));
      return `${shownPath}: installed, after a test run`;
    }
    case 'write-file':
      await putInPlace(operation.path, operation.text.reveal(), operation.mode);
      return `${shownPath}: written`;
    case 'unpack-native-code': {
      using temporary = await claimTemporaryName('native');
      for (const path of unpackNativeAddons(operation.path, temporary.name)) openNativeAddon(path);
      return `${shownPath}: native code unpacked, and loaded from there`;
    }
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

/** @param verify inspects the new file before it replaces the previous one, and rejects to prevent this */
async function putInPlace(
  path: string,
  content: FileContent,
  mode: number,
  verify: (temporaryPath: string) => Promise<void> = async () => undefined,
): Promise<void> {
  using temporary = await claimTemporaryName(basename(path));
  await withFileError('write', path, async () => {
    using file = writeTemporaryFile(path, content, { mode, durability: 'synced', temporaryName: temporary.name });
    await verify(file.path);
    file.replace();
  });
}

async function withFileError(operation: string, path: string, action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    throw fileError(operation, path, cause);
  }
}
