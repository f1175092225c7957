// Everything that CI runs, each with its time; the last line is `N passed, M failed`.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTestReport, type Tally } from './test-report.ts';

const repository = join(import.meta.dirname, '..');
const binary = (name: string) => join(repository, 'node_modules', '.bin', name);
const npmScript = (name: string) => ['npm', 'run', '--silent', name] as const;
const inPrivateNamespace = ['scripts/in-private-namespace.sh', '--'] as const;
// What a container runtime starts outlives it: it ends with the namespace. Needs root.
const inProcessNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

// The quick ones first. The last four run what is built against real programs, so these are made before.
const CHECKS = [
  { name: 'typecheck', command: npmScript('typecheck') },
  { name: 'lint', command: npmScript('lint') },
  { name: 'format', command: npmScript('format:check') },
  { name: 'unused code', command: npmScript('knip') },
  { name: 'build', command: [...npmScript('build'), '--', '--rehearsed'] },
  { name: 'tools', command: npmScript('tools') },
  { name: 'image', command: [...npmScript('build:image'), '--', '--rehearsed'] },
] as const;
const PROJECTS = [
  { name: 'unit', within: [], environment: {} },
  { name: 'kernel', within: inPrivateNamespace, environment: {} },
  { name: 'end-to-end', within: inPrivateNamespace, environment: {} },
  { name: 'node', within: [...inProcessNamespace, ...inPrivateNamespace], environment: {} },
  // It fetches Debian packages, which takes a network.
  { name: 'image', within: [], environment: { PODWIRE_IMAGE: 'dist/podwire-image.tar' } },
] as const;

const total: Tally = { passed: 0, failed: 0 };
for (const { name, command } of CHECKS) {
  await timed(name, async () => ((await run(command)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }));
}
for (const project of PROJECTS) {
  await timed(`${project.name} tests`, () => runProject(project));
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function timed(name: string, action: () => Promise<Tally>): Promise<void> {
  process.stderr.write(`--- ${name}\n`);
  const startedMs = performance.now();
  const { passed, failed } = await action();
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stderr.write(`--- ${name}: ${failed === 0 ? 'ok' : `${failed} failed`}, ${seconds} s\n`);
}

async function runProject({ name, within, environment }: (typeof PROJECTS)[number]): Promise<Tally> {
  const folder = await mkdtemp(join(repository, 'node_modules', '.report-'));
  const reportPath = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
  try {
    const exitCode = await run([...within, binary('vitest'), 'run', '--project', name, ...reporters], environment);
    return parseTestReport(await readFile(reportPath, 'utf8').catch(() => ''), exitCode);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  [command = '', ...commandArguments]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve) => {
    // What a check prints is progress, for people: the last line of our output is the sum.
    const child = spawn(command, commandArguments, {
      cwd: repository,
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, ...environment },
    });
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.once('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
}
