import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { endpointStatusFileName, waitForEndpointStatus } from '../../src/agent/endpoint-status.ts';

const POD = { namespace: 'default', name: 'web-0' };
const folder = () => mkdtempSync(join(tmpdir(), 'podwire-'));
const never = new AbortController().signal;

it('the agent’s file is named after orchestrator, workload and endpoint', () => {
  expect(endpointStatusFileName(POD)).toBe('k8s default%2Fweb-0 eth0');
});

it('a file that already exists ends the wait', async () => {
  const directory = folder();
  writeFileSync(join(directory, 'k8s default%2Fweb-0 eth0'), '{}');
  expect(await waitForEndpointStatus(directory, POD, { timeoutMs: 5000, signal: never })).toBe(true);
});

it('a file that is created later, after others, ends the wait', async () => {
  const directory = folder();
  const waiting = waitForEndpointStatus(directory, POD, { timeoutMs: 5000, signal: never });
  writeFileSync(join(directory, 'k8s default%2Fother eth0'), '{}');
  writeFileSync(join(directory, 'k8s default%2Fweb-0 eth0'), '{}');
  expect(await waiting).toBe(true);
});

const timed = async (wait: () => Promise<boolean>) => {
  const begunMs = performance.now();
  return { isWritten: await wait(), tookMs: performance.now() - begunMs };
};

it('a file that is never created is reported after the timeout', async () =>
  expect(await waitForEndpointStatus(folder(), POD, { timeoutMs: 20, signal: never })).toBe(false));

it('a missing folder is waited for as long as a missing file', async () => {
  const { isWritten, tookMs } = await timed(() =>
    waitForEndpointStatus('/nowhere', POD, { timeoutMs: 700, signal: never }),
  );
  expect(isWritten).toBe(false);
  expect(tookMs).toBeGreaterThanOrEqual(699);
});

it('a folder that the agent creates later, with the file, ends the wait', async () => {
  const directory = join(folder(), 'run', 'endpoint-status');
  const waiting = timed(() => waitForEndpointStatus(directory, POD, { timeoutMs: 30_000, signal: never }));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'k8s default%2Fweb-0 eth0'), '{}');
  const { isWritten, tookMs } = await waiting;
  expect(isWritten).toBe(true);
  expect(tookMs).toBeLessThan(20_000);
});

it('a folder that is replaced during the wait is noticed', async () => {
  const directory = folder();
  const waiting = timed(() => waitForEndpointStatus(directory, POD, { timeoutMs: 30_000, signal: never }));
  rmdirSync(directory);
  mkdirSync(directory);
  writeFileSync(join(directory, 'k8s default%2Fweb-0 eth0'), '{}');
  const { isWritten, tookMs } = await waiting;
  expect(isWritten).toBe(true);
  expect(tookMs).toBeLessThan(20_000);
});

it('the file is noticed where no inotify instance is left', async () => {
  const directory = folder();
  const module = join(import.meta.dirname, '../../src/agent/endpoint-status.ts');
  const program = `
    import { watch, writeFileSync } from 'node:fs';
    import { waitForEndpointStatus } from ${JSON.stringify(module)};
    const [directory] = process.argv.slice(1);
    let refusal;
    try { watch(directory); } catch (error) { refusal = error.code; }
    setTimeout(() => writeFileSync(directory + '/k8s default%2Fweb-0 eth0', '{}'), 300);
    const limits = { timeoutMs: 30_000, signal: new AbortController().signal };
    console.log(refusal, await waitForEndpointStatus(directory, ${JSON.stringify(POD)}, limits));`;
  // The limit of a user namespace is its own.
  const exhausted = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"';
  const command = ['--user', '--map-root-user', 'sh', '-c', exhausted, 'sh', process.execPath];
  const { stdout } = await promisify(execFile)('unshare', [
    ...command,
    '--input-type=module',
    '-e',
    program,
    directory,
  ]);
  expect(stdout).toMatch(/^E[A-Z]+ true\n$/);
});

it('a command that is ended stops waiting', async () => {
  for (const directory of [folder(), '/nowhere']) {
    const ended = new AbortController();
    const waiting = waitForEndpointStatus(directory, POD, { timeoutMs: 60_000, signal: ended.signal });
    ended.abort();
    await expect(waiting).rejects.toThrow(/abort/);
  }
});
