// npm run reliability [-- report.json ...]: writes docs/reliability.md from reports of vitest's json reporter; without one it runs the
// kernel and end-to-end tests first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { formatReliability, parseReliability } from './reliability/page.ts';

const repository = join(import.meta.dirname, '..');
const page = join(repository, 'docs', 'reliability.md');
const given = process.argv.slice(2);
const work = await mkdtemp(join(repository, 'node_modules', '.reliability-'));
try {
  const paths = given.length > 0 ? given : await runTests();
  const files = (await Promise.all(paths.map((path) => readFile(path, 'utf8')))).flatMap((text) =>
    parseReliability(text, (path) => relative(repository, path)),
  );
  await writeFile(page, formatReliability(files));
  process.stderr.write(`reliability: ${relative(repository, page)}\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}

async function runTests(): Promise<readonly string[]> {
  const report = join(work, 'report.json');
  const vitest = join(repository, 'node_modules', '.bin', 'vitest');
  const projects = ['--project', 'kernel', '--project', 'end-to-end'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const words = ['--', vitest, 'run', ...projects, ...reporters];
  const child = spawn(join(import.meta.dirname, 'in-private-namespace.sh'), words, {
    cwd: repository,
    stdio: 'inherit',
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error('the tests failed: what they measured is no promise');
  return [report];
}
