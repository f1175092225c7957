import { rm, rmdir } from 'node:fs/promises';
import { openNativeAddon, unpackNativeAddons } from '../system/native-addon.ts';
import type { Log } from '../log/log.ts';
import { fileFailure } from './file-failure.ts';
import type { Operation } from './operation.ts';
import { claimTemporaryName } from './temporary-file.ts';
import { verifyProgram } from './verify-program.ts';
import { writeFileAtomically, removeFile } from './atomic-file.ts';

/**
 * Does one after the other, with a line for each. What is done is done: run again, the rest follows.
 *
 * @throws {CniError} for the first that cannot be done
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
      return `${shownPath}: left alone: ${operation.why}`;
    case 'place-program': {
      const { from, path, nodeRoot } = operation;
      const approve = (temporary: string) => verifyProgram(temporary, shownPath, nodeRoot);
      await writeFileAtomically(path, { kind: 'copy', from }, 0o755, approve);
      return `${shownPath}: placed, after it had run`;
    }
    case 'write-file':
      await writeFileAtomically(operation.path, { kind: 'text', text: operation.text.reveal() }, operation.mode);
      return `${shownPath}: written`;
    case 'unpack-native-code': {
      await using claimed = await claimTemporaryName('native');
      for (const path of unpackNativeAddons(operation.folder, claimed.name)) openNativeAddon(path);
      return `${shownPath}: native code unpacked, and loaded from there`;
    }
    case 'remove':
      await removeFile(operation.path);
      return `${shownPath}: removed`;
    case 'remove-folder':
      await rm(operation.path, { recursive: true, force: true }).catch((cause: unknown) => {
        throw fileFailure('remove', operation.path, cause);
      });
      return `${shownPath}: removed`;
    case 'remove-folder-if-empty':
      // One that is mounted cannot go, and one with records is still needed.
      return rmdir(operation.path).then(
        () => `${shownPath}: removed`,
        () => undefined,
      );
    default:
      return operation satisfies never;
  }
}
