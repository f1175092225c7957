import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { startDelegate, type DelegateInput } from '../../src/delegate/run-delegate.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { startRealProgram } from '../support/delegates/real-program.ts';

async function runAt(path: string, input: Partial<DelegateInput> = {}) {
  const environment = { PATH: '/usr/bin:/bin', CNI_COMMAND: 'ADD' };
  using started = startDelegate({ path, environment }, startRealProgram);
  return await started.finish({ stdin: '{}', budgetMs: 10_000, signal: undefined, ...input });
}

const run = (script: string, input: Partial<DelegateInput> = {}) => runAt(join(fakeDelegate(script), 'fake'), input);

describe('startDelegate', () => {
  it('starts the program with default signal handling, although Node ignores SIGPIPE', async () => {
    const { stdout } = await run("grep -E '^Sig(Ign|Blk)' /proc/self/status | tr -d '\\t0'");
    expect(stdout).toBe('SigBlk:\nSigIgn:\n');
  });
  it('returns status and output of a program that ends', async () => {
    expect(await run('echo hello; exit 3')).toEqual({ exitCode: 3, killedBy: undefined, stdout: 'hello\n' });
  });
  it('returns the signal that has ended a program', async () =>
    expect(await run('kill -TERM $$')).toMatchObject({ exitCode: undefined, killedBy: 15 }));
  it('returns when a program ends that never read its input', async () => {
    expect(await runAt('/bin/true', { stdin: 'x'.repeat(4 * 1024 * 1024) })).toMatchObject({ exitCode: 0 });
  });
  it('kills a program that exceeds the budget', async () => {
    await expect(run('exec sleep 60', { budgetMs: 100 })).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('within 100 ms'),
    });
  });
  it('does not wait for a child of the program that keeps the pipe open', async () => {
    await expect(run('echo 1; sleep 60 & exit 0', { budgetMs: 30_000 })).resolves.toMatchObject({ stdout: '1\n' });
  });
  it('kills the program when the runtime ends the command', async () => {
    const ended = new AbortController();
    const running = run('exec sleep 60', { signal: ended.signal });
    ended.abort();
    await expect(running).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('the runtime ended this command'),
    });
  });
  it('kills a program that prints without end', async () => {
    await expect(run('exec yes')).rejects.toMatchObject({
      code: ERROR_CODE.delegateFailed,
      message: expect.stringContaining('printed more than'),
    });
  });
  it('throws an error that names a program that cannot be executed', async () => {
    const path = join(fakeDelegate('', { mode: 0o644 }), 'fake');
    await expect(runAt(path)).rejects.toMatchObject({
      code: ERROR_CODE.delegateFailed,
      message: expect.stringMatching(/fake cannot be run: .*EACCES/),
    });
  });
});
