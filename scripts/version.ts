// The script "version" of npm, which runs after `npm version X.Y.Z` has written package.json: writes the version wherever else it
// is mentioned, and the files that are made of these. A test compares them.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageVersion } from '../build/third-party-notices.ts';
import { PODWIRE_VERSION } from '../src/version.ts';
import { runScript } from './command-line/run-script.ts';
import { withVersion } from './release/version-mentions.ts';

const USAGE = `usage: npm version X.Y.Z

Sets the version of podwire in package.json and wherever else it is mentioned, and commits and tags the result.
CHANGELOG.md needs a section "## X.Y.Z - YYYY-MM-DD" before.
`;

const REPOSITORY = join(import.meta.dirname, '..');
const MENTIONING = ['src/version.ts', 'cni-conf', 'docs/*.md', 'README.md', 'SECURITY.md'];

await runScript({ name: 'version', usage: USAGE, options: {} }, async () => {
  const version = await packageVersion(REPOSITORY);
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(program, [...args], { cwd: REPOSITORY });
  const { stdout } = await run('git', 'ls-files', '--', ...MENTIONING);
  for (const path of stdout
    .trim()
    .split('\n')
    .map((name) => join(REPOSITORY, name))) {
    const text = await readFile(path, 'utf8');
    const changed = withVersion(text, PODWIRE_VERSION, version);
    if (changed !== text) await writeFile(path, changed);
  }
  await run(process.execPath, 'scripts/render-manifests.ts');
  await run('git', 'add', '--update');
  process.stderr.write(`version: ${PODWIRE_VERSION} is now ${version}\n`);
});
