import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '../..');

/** A Markdown file of the repository. */
export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** All Markdown files that git knows or would add, without those that were deleted. */
export function trackedPages(): readonly Page[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: REPOSITORY,
  });
  return listed
    .toString()
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(REPOSITORY, path)))
    .map((path) => ({ path, text: readPage(path) }));
}

/** The text of one file of the repository. */
export function readPage(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}
