import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

it('a file that is never created is reported after the timeout', async () =>
  expect(await waitForEndpointStatus(folder(), POD, { timeoutMs: 20, signal: never })).toBe(false));
it('a missing folder is reported like a missing file', async () =>
  expect(await waitForEndpointStatus('/nowhere', POD, { timeoutMs: 20, signal: never })).toBe(false));

it('a command that is ended stops waiting', async () => {
  const ended = new AbortController();
  const waiting = waitForEndpointStatus(folder(), POD, { timeoutMs: 60_000, signal: ended.signal });
  ended.abort();
  await expect(waiting).rejects.toThrow(/abort/);
});
