// cspell:ignore froce
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');

// Each test starts Node.
vi.setConfig({ testTimeout: 30_000 });

const SCRIPTS = [
  'build',
  'build-image',
  'tools',
  'demo',
  'demo-two-nodes',
  'bench',
  'bench-scale',
  'fuzz',
  'soak',
  'reliability',
  'render-manifests',
];

async function run(script: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(REPOSITORY, 'scripts', `${script}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

describe.each(SCRIPTS)('%s', (script) => {
  it('prints its usage on stdout for --help', async () => {
    const { exitCode, stdout, stderr } = await run(script, '--help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^usage: npm run /);
  });

  it('reports an unknown option in one line, with exit status 2', async () => {
    const { exitCode, stdout, stderr } = await run(script, '--froce');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^[a-z:-]+: Unknown option '--froce'; see npm run [a-z:-]+ -- --help\n$/);
  });
});

it('incorrect usage that the script itself detects is reported in the same way', async () => {
  const { exitCode, stderr } = await run('build', '--arch', 'mips');
  expect(exitCode).toBe(2);
  expect(stderr).toBe('build: --arch expects x64 or arm64, got "mips"; see npm run build -- --help\n');
});

it('an argument after -- is not a request for help, and the reason has one line', async () => {
  const { stderr } = await run('render-manifests', '--', '--help');
  expect(stderr).toBe("render:manifests: Unexpected argument '--help'; see npm run render:manifests -- --help\n");
});
