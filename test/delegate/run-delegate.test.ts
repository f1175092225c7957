import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { runDelegate } from '../../src/delegate/run-delegate.ts';
import { fakeDelegate } from '../support/fake-delegate.ts';
import { runRealProgram } from '../support/run-program.ts';

const run = (script: string, { budgetMs = 10_000, signal }: { budgetMs?: number; signal?: AbortSignal } = {}) =>
  runDelegate(
    {
      path: join(fakeDelegate(script), 'fake'),
      environment: { PATH: '/usr/bin:/bin', CNI_COMMAND: 'ADD' },
      stdin: '{}',
      budgetMs,
      signal,
    },
    runRealProgram,
  );

describe('runDelegate', () => {
  it('its signals are as if nobody had touched them: Node ignores SIGPIPE', async () => {
    const { stdout } = await run("grep -E '^Sig(Ign|Blk)' /proc/self/status | tr -d '\\t0'");
    expect(stdout).toBe('SigBlk:\nSigIgn:\n');
  });
  it('status and output of one that ends', async () => {
    expect(await run('echo hello; exit 3')).toEqual({ exitCode: 3, killedBy: undefined, stdout: 'hello\n' });
  });
  it('one that dies by a signal', async () =>
    expect(await run('kill -TERM $$')).toMatchObject({ exitCode: undefined, killedBy: 15 }));
  it('one that never reads its input', async () => {
    const facts = { path: '/bin/true', environment: {}, budgetMs: 10_000, signal: undefined };
    const stdin = 'x'.repeat(4 * 1024 * 1024);
    expect(await runDelegate({ ...facts, stdin }, runRealProgram)).toMatchObject({ exitCode: 0 });
  });
  it('one that hangs is ended at the budget', async () => {
    await expect(run('exec sleep 60', { budgetMs: 100 })).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('within 100 ms'),
    });
  });
  it('one whose child keeps the pipe open is not waited for', async () => {
    await expect(run('echo 1; sleep 60 & exit 0', { budgetMs: 30_000 })).resolves.toMatchObject({ stdout: '1\n' });
  });
  it('a command that the runtime ends ends it too', async () => {
    const ended = new AbortController();
    const running = run('exec sleep 60', { signal: ended.signal });
    ended.abort();
    await expect(running).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('the runtime ended this command'),
    });
  });
  it('one that prints without end is ended', async () => {
    await expect(run('exec yes')).rejects.toMatchObject({
      code: ERROR_CODE.delegateFailed,
      message: expect.stringContaining('printed more than'),
    });
  });
  it('one that cannot be executed is an error that names it', async () => {
    const path = join(fakeDelegate('', { mode: 0o644 }), 'fake');
    await expect(
      runDelegate({ path, environment: {}, stdin: '', budgetMs: 1000, signal: undefined }, runRealProgram),
    ).rejects.toMatchObject({
      code: ERROR_CODE.delegateFailed,
      message: expect.stringMatching(/fake cannot be run: .*EACCES/),
    });
  });
});
