import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelError } from '../../src/system/kernel-error.ts';
import { openLibc, type Libc } from '../../src/system/libc.ts';
import { startProgram, type Program, type ProgramInput } from '../../src/system/program.ts';
import { until } from '../lab/until.ts';

const never = new AbortController().signal;
async function run(
  path: string,
  { environment = {}, libc = openLibc(), ...input }: Partial<Program & ProgramInput & { libc: Libc }> = {},
) {
  using started = startProgram({ path, environment }, libc);
  return await started.finish({ stdin: '', stdoutLimitBytes: 1024, signal: never, ...input });
}

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

describe('a program', () => {
  it('passes the input and returns the output', async () => {
    await expect(run('/bin/cat', { stdin: 'hello' })).resolves.toEqual({
      exitCode: 0,
      killedBy: undefined,
      stdout: 'hello',
      isTooLong: false,
    });
  });
  it('passes the given environment and nothing else', async () => {
    const { stdout } = await run('/usr/bin/env', { environment: { A: '1', B: undefined, C: 'x=y' } });
    expect(stdout).toBe('A=1\nC=x=y\n');
  });
  it('returns the exit status', async () => expect(await run('/bin/false')).toMatchObject({ exitCode: 1 }));
  it('kills a program that prints more than the limit', async () => {
    await expect(run('/usr/bin/yes')).resolves.toMatchObject({ isTooLong: true });
  });
  it('returns the signal that has ended the program', async () => {
    await expect(run(script('kill -SEGV $$'))).resolves.toMatchObject({ exitCode: undefined, killedBy: 11 });
  });
  it('returns when a program ends that has not read its input, which exceeds a pipe', async () => {
    await expect(run(script('echo done'), { stdin: MORE_THAN_A_PIPE })).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'done\n',
    });
  });
  it('waits for a program that closes its output and continues', async () => {
    const path = script(`exec >&-; until [ -e "$0.go" ]; do sleep 0.01; done; exit 3`);
    const running = run(path);
    writeFileSync(`${path}.go`, '');
    await expect(running).resolves.toMatchObject({ exitCode: 3, stdout: '' });
  });
  it('rejects if the program is missing', async () => {
    await expect(run('/nowhere')).rejects.toMatchObject({ errnoName: 'ENOENT' });
    await expect(run('/nowhere')).rejects.toBeInstanceOf(KernelError);
  });
  it('rejects if the program cannot be executed', async () => {
    await expect(run('/etc/passwd')).rejects.toMatchObject({ errnoName: 'EACCES' });
  });
  it('leaves no descriptor open, whether the program starts or not', async () => {
    await run('/bin/true');
    const before = openDescriptors();
    await run('/bin/true');
    await expect(run('/nowhere')).rejects.toBeInstanceOf(KernelError);
    expect(openDescriptors()).toBe(before);
  });
});

describe('an aborted run ends the program and rejects with the reason:', () => {
  const stops = (which: string, shell: string, stdin = '') =>
    it(which, async () => {
      const path = script(`echo $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"; ${shell}`);
      const stopping = new AbortController();
      const running = run(path, { stdin, signal: stopping.signal });
      await until('it runs', () => existsSync(`${path}.pid`));
      stopping.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      expect(existsSync(`/proc/${readFileSync(`${path}.pid`, 'utf8').trim()}`)).toBe(false);
    });
  stops('one that hangs', 'exec sleep 60');
  stops('one that hangs over an input that a pipe does not hold', 'exec sleep 60', MORE_THAN_A_PIPE);
  stops('one that has closed its output', 'exec >&-; exec sleep 60');
  stops('one that hears no other signal', `trap '' TERM INT HUP; exec sleep 60`);
  stops('one whose child holds its pipes', 'sleep 2 & exec sleep 60');
});

it('a program gets no input if its run is already aborted, and is killed', async () => {
  const path = script('read -r input && touch "$0.ran"; exec sleep 60');
  const before = openDescriptors();
  await expect(run(path, { stdin: '1\n', signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  expect(openDescriptors()).toBe(before);
  expect(existsSync(`${path}.ran`)).toBe(false);
});

it('a program that is disposed of before its input is killed', async () => {
  const path = script('echo $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"; read -r input; exec sleep 60');
  const before = openDescriptors();
  {
    using _ = startProgram({ path, environment: {} }, openLibc());
    await until('it runs', () => existsSync(`${path}.pid`));
  }
  const pid = readFileSync(`${path}.pid`, 'utf8').trim();
  const statPath = `/proc/${pid}/stat`;
  await until('it has ended', () => !existsSync(statPath) || !readFileSync(statPath, 'latin1').includes(' S '));
  expect(openDescriptors()).toBe(before);
  expect(existsSync(`${path}.ran`)).toBe(false);
});

it('what a grandchild prints after the program has ended does not kill a process that has its id by then', async () => {
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
  const stopping = new AbortController();
  const running = run(path, { signal: stopping.signal, libc: counting });
  await until('it runs', () => existsSync(`${path}.runs`));
  stopping.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  writeFileSync(`${path}.go`, '');
  await until('the output of the child has no reader', () => existsSync(`${path}.over`));
  expect(killed).toHaveLength(1);
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
