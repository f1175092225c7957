// npm test [-- PART... [VITEST OPTION...]]: everything that CI runs, or the named parts of it, each with its time.
// The last line is `N passed, M failed`. `npm test -- --help` lists the parts.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureExecutable, ensureImage, ensureRelease, type UpToDate } from '../build/up-to-date.ts';
import { prefetchModules } from '../test/lab/tools/prefetch-modules.ts';
import { parseTestReport, type Tally } from './test-report.ts';
import { CHECKS, type Need } from './test/parts.ts';
import { planTests, type TestPlan, type TestStep } from './test/test-plan.ts';
import { formatUsage } from './test/usage.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const VITEST = join(REPOSITORY, 'node_modules', '.bin', 'vitest');

const testFiles = globSync('test/**/*.test.ts', { cwd: REPOSITORY });
process.exitCode = await runPlan(planTests(process.argv.slice(2), testFiles.toSorted()));

/** @returns the exit status: 0 if everything passed, 1 if something failed, 2 if the arguments are wrong */
async function runPlan(plan: TestPlan): Promise<number> {
  switch (plan.kind) {
    case 'help':
      process.stdout.write(formatUsage());
      return 0;
    case 'usage-error':
      process.stderr.write(`${plan.message}\n\n${formatUsage()}`);
      return 2;
    case 'run': {
      const total: Tally = { passed: 0, failed: 0 };
      const prefetched = buildsToolsLater(plan.steps) ? prefetchModules() : Promise.resolve();
      for (const step of plan.steps) {
        const { passed, failed } = await runTimed(step, plan.isFiltered ? 'expected' : 'failed');
        total.passed += passed;
        total.failed += failed;
      }
      await prefetched;
      process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
      return total.failed === 0 ? 0 : 1;
    }
    default:
      return plan satisfies never;
  }
}

/** Whether tools are built after something that does not use the network. */
function buildsToolsLater(steps: readonly TestStep[]): boolean {
  return steps.slice(1).some((step) => step.kind === 'check' && step.check.name === 'tools');
}

async function runTimed(step: TestStep, skipped: 'failed' | 'expected'): Promise<Tally> {
  const name = nameOf(step);
  process.stderr.write(`--- ${name}\n`);
  const startedMs = performance.now();
  const tally = await runStep(step, skipped);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stderr.write(`--- ${name}: ${tally.failed === 0 ? 'ok' : `${tally.failed} failed`}, ${seconds} s\n`);
  return tally;
}

function nameOf(step: TestStep): string {
  if (step.kind === 'check') return step.check.name;
  return step.kind === 'prepare' ? step.need : `${step.project.name} tests`;
}

async function runStep(step: TestStep, skipped: 'failed' | 'expected'): Promise<Tally> {
  switch (step.kind) {
    case 'check':
      return (await run(step.check.command)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    case 'prepare':
      return { passed: 0, failed: (await prepare(step.need)) ? 0 : 1 };
    case 'tests':
      return runTests(step, skipped);
    default:
      return step satisfies never;
  }
}

async function prepare(need: Need): Promise<boolean> {
  switch (need) {
    case 'tools':
      return (await run(CHECKS.find(({ name }) => name === 'tools')?.command ?? [])) === 0;
    case 'executable':
      return isMade(ensureExecutable(undefined, showProgress));
    case 'image':
      return isMade(ensureImage(undefined, showProgress));
    case 'release':
      return isMade(ensureRelease(undefined, showProgress));
    default:
      return need satisfies never;
  }
}

// A build takes a minute or more, and a minute without output looks like a hang.
function showProgress(text: string): void {
  process.stderr.write(text);
}

async function isMade(made: Promise<UpToDate>): Promise<boolean> {
  try {
    const { path, outcome } = await made;
    process.stderr.write(`${path}: ${outcome}\n`);
    return true;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

async function runTests(
  { project, vitestArguments }: Extract<TestStep, { kind: 'tests' }>,
  skipped: 'failed' | 'expected',
): Promise<Tally> {
  const folder = await mkdtemp(join(REPOSITORY, 'node_modules', '.report-'));
  const reportPath = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
  const vitest = [VITEST, 'run', '--project', project.name, ...reporters, ...vitestArguments];
  try {
    const exitCode = await run([...project.within, ...vitest], project.environment);
    return parseTestReport(await readFile(reportPath, 'utf8').catch(() => ''), exitCode, skipped);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  [command = '', ...commandArguments]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve) => {
    // What a check prints is progress for people, so it goes to stderr: the last line of stdout is the sum.
    const child = spawn(command, commandArguments, {
      cwd: REPOSITORY,
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
