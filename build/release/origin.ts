import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ReleaseFile } from './release-file.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const LOCKFILES = ['package-lock.json', 'build/arm64/package-lock.json', 'build/image/go.mod', 'build/image/go.sum'];

/**
 * Reads from which commit the sources are, and the files that pin what a build downloads.
 *
 * @throws {Error} if the repository was not cloned with git
 */
export async function readSources(): Promise<{
  readonly commit: string;
  readonly hasUncommittedChanges: boolean;
  readonly lockfiles: readonly ReleaseFile[];
}> {
  const git = async (...args: readonly string[]) =>
    (await promisify(execFile)('git', [...args], { cwd: REPOSITORY })).stdout.trim();
  return {
    commit: await git('rev-parse', 'HEAD'),
    hasUncommittedChanges: (await git('status', '--porcelain')) !== '',
    lockfiles: await Promise.all(
      LOCKFILES.map(async (name) => ({ name, content: await readFile(join(REPOSITORY, name)) })),
    ),
  };
}
