// npm run release:version: writes a new version into package.json and wherever else it is mentioned, and the files that are made of
// these. A test compares them. (npm's own `npm version` would not run this: .npmrc forbids scripts of packages.)
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PODWIRE_VERSION } from '../src/version.ts';
import { runScript, UsageError } from './command-line/run-script.ts';
import { releaseNotes } from './release/changelog.ts';
import { withVersion } from './release/version-mentions.ts';

const USAGE = `usage: npm run release:version -- X.Y.Z

Sets the version of podwire in package.json and wherever else it is mentioned, and makes the commit and the tag vX.Y.Z.
Before, CHANGELOG.md needs a section "## X.Y.Z - YYYY-MM-DD", and everything must be committed.
`;

const REPOSITORY = join(import.meta.dirname, '..');
const MENTIONING = ['src/version.ts', 'cni-conf', 'docs/*.md', 'README.md', 'SECURITY.md'];

await runScript(
  { name: 'release:version', usage: USAGE, options: {}, allowPositionals: true },
  async ({ positionals }) => {
    const [version = '', ...others] = positionals;
    if (!/^\d+\.\d+\.\d+$/.test(version) || others.length > 0) throw new UsageError('expected one version X.Y.Z');
    const run = (program: string, ...args: readonly string[]) =>
      promisify(execFile)(program, [...args], { cwd: REPOSITORY });
    const changes = await run('git', 'status', '--porcelain');
    if (changes.stdout !== '') throw new UsageError(`commit these changes first:\n${changes.stdout.trimEnd()}`);
    const changelog = await readFile(join(REPOSITORY, 'CHANGELOG.md'), 'utf8');
    try {
      releaseNotes(changelog, version);
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    await run('npm', 'version', '--no-git-tag-version', version);
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
    await run('git', 'commit', '--all', '--message', `podwire ${version}`);
    await run('git', 'tag', '--annotate', '--message', `podwire ${version}`, `v${version}`);
    process.stderr.write(`release:version: ${PODWIRE_VERSION} is now ${version}, with the tag v${version}\n`);
  },
);
