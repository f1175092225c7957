import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, ownIdentity } from '../../src/system/process-identity.ts';
import { until } from '../lab/until.ts';

describe('a process', () => {
  it('knows its own identity', () => {
    expect(ownIdentity().pid).toBe(process.pid);
    expect(isRunning(ownIdentity())).toBe(true);
  });

  it('that was started later with the same id is a different one', () => {
    const { pid, startTicks } = ownIdentity();
    expect(isRunning({ pid, startTicks: String(Number(startTicks) - 1) })).toBe(false);
  });

  it('that has ended does not run', async () => {
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    const identity = { pid: child.pid ?? 0, startTicks: startTicksOf(child.pid ?? 0) };
    expect(isRunning(identity)).toBe(true);
    child.stdin.end();
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });

  it('that was killed and not yet reaped does not run', async () => {
    // The shell is stopped, so it does not reap its child.
    const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; kill -STOP $$; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output]: Buffer[] = await once(shell.stdout, 'data');
    const pid = Number(output?.toString());
    const identity = { pid, startTicks: startTicksOf(pid) };
    const isInState = (of: number, state: string) => readFileSync(`/proc/${of}/stat`, 'utf8').includes(`) ${state} `);
    await until('the shell stands still', () => isInState(shell.pid ?? 0, 'T'));
    process.kill(pid, 'SIGKILL');
    await until('it is a zombie', () => isInState(pid, 'Z'));
    expect(isRunning(identity)).toBe(false);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  });

  it('can have any name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podwire-process-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const program = join(folder, 'a) R 1 (b');
    copyFileSync('/bin/cat', program);
    const child = spawn(program, { stdio: ['pipe', 'ignore', 'ignore'] });
    const identity = { pid: child.pid ?? 0, startTicks: startTicksOf(process.pid) };
    expect(isRunning(identity)).toBe(false);
    expect(isRunning({ ...identity, startTicks: startTicksOf(identity.pid) })).toBe(true);
    child.stdin.end();
    await once(child, 'exit');
  });

  const none = (what: string, pid: number) => it(what, () => expect(isRunning({ pid, startTicks: '' })).toBe(false));
  none('with an impossible id does not run', 2 ** 31 - 1);
  none('without an id does not run', Number.NaN);
});

// Field 22, counted from the end of 52 fields, because the second one, the program's name, may contain blanks.
function startTicksOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').trim().split(' ').at(-31) ?? '';
}
