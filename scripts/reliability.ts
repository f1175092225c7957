// npm run reliability: writes docs/reliability.md and docs/reliability-tests.md from reports of the kernel and end-to-end tests.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { runInPrivateNamespace } from './command-line/run-program.ts';
import { runScript } from './command-line/run-script.ts';
import { formatReliability, parseReliability } from './reliability/page.ts';

const USAGE = `usage: npm run reliability -- [REPORT...]

Writes docs/reliability.md and docs/reliability-tests.md from REPORTs of vitest's json reporter. Without a REPORT, runs the
kernel and end-to-end tests first.
`;

const REPOSITORY = join(import.meta.dirname, '..');
const DOCS = join(REPOSITORY, 'docs');

await runScript(
  { name: 'reliability', usage: USAGE, options: {}, allowPositionals: true },
  async ({ positionals: reports }) => {
    await writePages(reports.length > 0 ? await readReports(reports) : await runTests());
  },
);

async function writePages(reports: readonly string[]): Promise<void> {
  const files = reports.flatMap((json) => parseReliability(json, (path) => relative(REPOSITORY, path)));
  for (const [name, text] of Object.entries<string>({ ...formatReliability(files) })) {
    await writeFile(join(DOCS, name), text);
    process.stderr.write(`reliability: wrote docs/${name}\n`);
  }
}

async function readReports(paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(paths.map((path) => readFile(path, 'utf8')));
}

async function runTests(): Promise<readonly string[]> {
  const work = await mkdtemp(join(REPOSITORY, 'node_modules', '.reliability-'));
  try {
    const report = join(work, 'report.json');
    const projects = ['--project', 'kernel', '--project', 'end-to-end'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const vitest = join(REPOSITORY, 'node_modules', '.bin', 'vitest');
    const exitStatus = await runInPrivateNamespace(vitest, ['run', ...projects, ...reporters]);
    if (exitStatus !== 0) {
      throw new Error('The tests failed, so their results are not reported: fix them and run this again.');
    }
    return await readReports([report]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
