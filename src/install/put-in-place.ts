import { basename, dirname } from 'node:path';
import { writeTemporaryFile, type FileContent } from '../system/files.ts';
import { fileError } from './install-error.ts';
import { claimTemporaryName, type Locks } from './temporary-name.ts';

export interface NewFile {
  readonly path: string;
  readonly content: FileContent;
  readonly mode: number;
}

/**
 * Writes a file under a temporary name, syncs it, and gives it its own name.
 *
 * @throws {ExplainedError}
 */
export function putInPlace({ path, content, mode }: NewFile, locks: Locks): void {
  try {
    using temporary = claimTemporaryName(dirname(path), basename(path), locks);
    using file = writeTemporaryFile(path, content, { mode, durability: 'synced', temporaryName: temporary.name });
    file.replace();
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

/**
 * The same, but inspects the new file before it replaces the previous one.
 *
 * @param verify receives its temporary path, and rejects to keep the previous file
 * @throws {ExplainedError}
 */
export async function putVerified(
  { path, content, mode }: NewFile,
  locks: Locks,
  verify: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  try {
    using temporary = claimTemporaryName(dirname(path), basename(path), locks);
    using file = writeTemporaryFile(path, content, { mode, durability: 'synced', temporaryName: temporary.name });
    await verify(file.path);
    file.replace();
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}
