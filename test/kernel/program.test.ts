import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../../src/kernel/kernel-error.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { runProgram, type ProgramRun } from '../../src/kernel/program.ts';

const never = new AbortController().signal;
const run = (path: string, bent: Partial<ProgramRun> = {}) =>
  runProgram({ path, environment: {}, stdin: '', stdoutLimitBytes: 1024, signal: never, ...bent }, openLibc());

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
  it('one that is told to stop is gone, and the reason is told', async () => {
    const ended = new AbortController();
    const running = run('/bin/cat', {
      stdin: 'x'.repeat(10 * 1024 * 1024),
      stdoutLimitBytes: 1e9,
      signal: ended.signal,
    });
    ended.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
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

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
