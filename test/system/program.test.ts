import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelError } from '../../src/system/kernel-error.ts';
import { openLibc } from '../../src/system/libc.ts';
import { runProgram, type ProgramRun } from '../../src/system/program.ts';
import { until } from '../lab/until.ts';

const never = new AbortController().signal;
const run = (path: string, overrides: Partial<ProgramRun> = {}) =>
  runProgram({ path, environment: {}, stdin: '', stdoutLimitBytes: 1024, signal: never, ...overrides }, openLibc());

const MORE_THAN_A_PIPE = 'x'.repeat(1024 * 1024);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'podwire-program-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program of shell lines; `$0` is its path. */
function script(lines: string): string {
  const path = join(mkdtempSync(join(folder, 'program-')), 'program');
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('runProgram', () => {
  it('gives it its input and takes its output', async () => {
    await expect(run('/bin/cat', { stdin: 'hello' })).resolves.toEqual({
      exitCode: 0,
      killedBy: undefined,
      stdout: 'hello',
      isTooLong: false,
    });
  });
  it('gives it the environment that is said, and no more', async () => {
    const { stdout } = await run('/usr/bin/env', { environment: { A: '1', B: undefined, C: 'x=y' } });
    expect(stdout).toBe('A=1\nC=x=y\n');
  });
  it('tells its exit status', async () => expect(await run('/bin/false')).toMatchObject({ exitCode: 1 }));
  it('ends one that prints more than it may', async () => {
    await expect(run('/usr/bin/yes')).resolves.toMatchObject({ isTooLong: true });
  });
  it('tells the signal that has ended it', async () => {
    await expect(run(script('kill -SEGV $$'))).resolves.toMatchObject({ exitCode: undefined, killedBy: 11 });
  });
  it('one that reads nothing of its input, which a pipe does not hold, ends when it ends', async () => {
    await expect(run(script('echo done'), { stdin: MORE_THAN_A_PIPE })).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'done\n',
    });
  });
  it('one that closes its output and goes on is waited for', async () => {
    const path = script(`exec >&-; until [ -e "$0.go" ]; do sleep 0.01; done; exit 3`);
    const running = run(path);
    writeFileSync(`${path}.go`, '');
    await expect(running).resolves.toMatchObject({ exitCode: 3, stdout: '' });
  });
  it('one that is not there', async () => {
    await expect(run('/nowhere')).rejects.toMatchObject({ errnoName: 'ENOENT' });
    await expect(run('/nowhere')).rejects.toBeInstanceOf(KernelError);
  });
  it('one that cannot be executed', async () => {
    await expect(run('/etc/passwd')).rejects.toMatchObject({ errnoName: 'EACCES' });
  });
  it('leaves no descriptor open, started or not', async () => {
    await run('/bin/true');
    const before = openDescriptors();
    await run('/bin/true');
    await expect(run('/nowhere')).rejects.toBeInstanceOf(KernelError);
    expect(openDescriptors()).toBe(before);
  });
});

describe('one that is told to stop is gone, and the reason is told:', () => {
  const stops = (which: string, shell: string, stdin = '') =>
    it(which, async () => {
      const path = script(`echo $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"; ${shell}`);
      const told = new AbortController();
      const running = run(path, { stdin, signal: told.signal });
      await until('it runs', () => existsSync(`${path}.pid`));
      told.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      expect(existsSync(`/proc/${readFileSync(`${path}.pid`, 'utf8').trim()}`)).toBe(false);
    });
  stops('one that hangs', 'exec sleep 60');
  stops('one that hangs over an input that a pipe does not hold', 'exec sleep 60', MORE_THAN_A_PIPE);
  stops('one that has closed its output', 'exec >&-; exec sleep 60');
  stops('one that hears no other signal', `trap '' TERM INT HUP; exec sleep 60`);
  stops('one whose child holds its pipes', 'sleep 2 & exec sleep 60');
});

it('one that is told to stop before it begins never runs', async () => {
  const path = script('touch "$0.ran"');
  await expect(run(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  expect(existsSync(`${path}.ran`)).toBe(false);
});

it('what its child prints after its end ends no process that has its number by then', async () => {
  const killed: number[] = [];
  const libc = openLibc();
  const counting = {
    ...libc,
    kill(pid: number) {
      killed.push(pid);
      libc.kill(pid);
    },
  };
  const path = script('(until [ -e "$0.go" ]; do sleep 0.01; done; yes; touch "$0.over") & touch "$0.runs"; sleep 60');
  const told = new AbortController();
  const facts = { path, environment: {}, stdin: '', stdoutLimitBytes: 1024, signal: told.signal };
  const running = runProgram(facts, counting);
  await until('it runs', () => existsSync(`${path}.runs`));
  told.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  writeFileSync(`${path}.go`, '');
  await until('nobody reads the child', () => existsSync(`${path}.over`));
  expect(killed).toHaveLength(1);
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
