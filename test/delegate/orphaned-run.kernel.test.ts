import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';
import { until } from '../lab/until.ts';

const SOURCE = join(import.meta.dirname, '../../src');
const PROGRAM = `
  import { endOrphanedRun } from ${JSON.stringify(join(SOURCE, 'delegate/orphaned-run.ts'))};
  import { openLibc } from ${JSON.stringify(join(SOURCE, 'system/libc.ts'))};
  const id = { containerId: 'orphaned-ns', interfaceName: 'eth0' };
  await endOrphanedRun('orphaned-ns-ipam', id, (fd) => openLibc().killProcess(fd)).catch(({ message }) => console.log(message));`;
const ENVIRONMENT = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'orphaned-ns', CNI_IFNAME: 'eth0' };

/** What ends an orphaned IPAM plugin, started below `plugin`, when a command below `command` looks for it, and what this command says. */
async function endBetween(plugin: readonly string[], command: readonly string[]) {
  assertPrivateNamespace();
  const folder = fakeDelegate('', { name: 'orphaned-ns-ipam' });
  const env = { PATH: process.env['PATH'] };
  const child = spawn('env', [...plugin, join(folder, 'orphaned-ns-ipam')], {
    env: { ...env, ...ENVIRONMENT },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit');
  await once(child, 'spawn');
  const children = (): string => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  if (plugin.length > 0) await until('the plugin runs', () => children() !== '');
  const program = [...command, process.execPath, '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)('env', program, { env });
  child.stdin.end();
  await exit;
  rmSync(folder, { recursive: true });
  return { signal: child.signalCode, exitCode: child.exitCode, stdout };
}

it('an orphaned IPAM plugin in a PID namespace below ours is killed', async () => {
  const ended = await endBetween(['unshare', '--pid', '--fork'], []);
  expect(ended).toMatchObject({ stdout: '' });
  expect(ended.exitCode).not.toBe(0);
});

it('one outside of our PID namespace, whose number in /proc is not ours, is an error and kills nothing', async () => {
  const ended = await endBetween([], ['unshare', '--pid', '--fork']);
  expect(ended).toMatchObject({ signal: null, exitCode: 0, stdout: expect.stringContaining('is still running') });
});
