import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runChild } from '../../src/cli/run-child.ts';

function run(script: string, stdin = '', timeoutMs = 10_000) {
  const folder = mkdtempSync(join(tmpdir(), 'podwire-child-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return runChild({ path, environment: { NAME: 'value' }, stdin, timeoutMs, killSignal: 'SIGKILL' });
}

describe('a program', () => {
  it('gets its input and environment, and its output is returned', async () =>
    expect(await run('cat; echo "$NAME" >&2', 'text')).toEqual({
      stdout: 'text',
      stderr: 'value\n',
      failure: undefined,
    }));
  it('that fails has a status', async () => expect((await run('exit 3')).failure).toBe('status 3'));
  it('that is killed after its time has a signal', async () =>
    expect((await run('exec sleep 60', '', 50)).failure).toBe('SIGKILL'));
  it('that does not read its input ends as usual', async () =>
    expect((await run('exit 0', 'x'.repeat(1_000_000))).failure).toBeUndefined());
  it('that does not exist is an error', async () => {
    const none = { path: '/none', environment: {}, stdin: '', timeoutMs: 1000, killSignal: 'SIGKILL' } as const;
    await expect(runChild(none)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
