import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { runGc, type GcOptions } from '../../src/cli/gc.ts';
import { startCriServer, type CriServer } from '../lab/doctor-node/cri-server.ts';
import { netconf } from '../lab/netconf.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let folder = '';
let runtime: CriServer;
let lease = '';
beforeEach(async () => {
  folder = mkdtempSync('/run/podwire-gc-');
  const sandboxes = () => [{ id: 'living', namespace: 'default', name: 'web' }];
  runtime = await startCriServer(join(folder, 'cri.sock'), { configs: folder, programs: folder, sandboxes });
  // Other tests attach pods to the usual network at the same time.
  const config = netconf({
    name: 'gc-network',
    ipam: { type: 'host-local', subnet: '10.0.0.0/24', dataDir: folder },
    kubernetes: { kubeconfig: '/none' },
  });
  writeFileSync(join(folder, '10-podwire.conf'), JSON.stringify(config));
  const leases = join(folder, 'gc-network');
  mkdirSync(leases);
  writeFileSync(join(leases, 'lock'), '');
  const before = new Date(Date.now() - 3_600_000);
  for (const [address, container] of [
    ['10.0.0.2', 'living'],
    ['10.0.0.3', 'gone'],
  ] as const) {
    writeFileSync(join(leases, address), `${container}\r\neth0`);
    utimesSync(join(leases, address), before, before);
  }
  lease = join(leases, '10.0.0.3');
});
afterEach(async () => {
  await runtime[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function gc(options: Partial<GcOptions> = {}, overrides: Partial<CliIo> = {}) {
  const environment = { CNI_NET_DIR: folder, CNI_BIN_DIR: folder, CONTAINER_RUNTIME_ENDPOINT: runtime.socketPath };
  const captured = cliIo({ environment, ...overrides });
  const status = await runGc({ output: 'table', isDryRun: false, isConfirmed: false, ...options }, captured.io);
  return { status, stdout: captured.stdout, stderr: captured.stderr };
}

const SHOWN = expect.stringMatching(/^KIND +OBJECT +CONTAINER +POD +AGE\nlease +10\.0\.0\.3 +gone +- +1 h\n$/);

describe('podwire gc', () => {
  it('--dry-run shows what belongs to no sandbox, and keeps it', async () => {
    expect(await gc({ isDryRun: true })).toEqual({ status: 0, stdout: SHOWN, stderr: '' });
    expect(existsSync(lease)).toBe(true);
  });
  it('--yes removes it, and nothing else', async () => {
    expect(await gc({ isConfirmed: true })).toMatchObject({ status: 0, stdout: SHOWN });
    expect([existsSync(lease), existsSync(join(folder, 'gc-network/10.0.0.2'))]).toEqual([false, true]);
    expect(await gc()).toEqual({ status: 0, stdout: 'Nothing is left over on this node.\n', stderr: '' });
  });
  it('asks on a terminal', async () => {
    const isTerminal = () => true;
    expect(await gc({}, { isTerminal, readLine: () => 'n\n' })).toMatchObject({
      status: 1,
      stderr: 'Remove all of this? [y/N] ',
    });
    expect(existsSync(lease)).toBe(true);
    expect(await gc({}, { isTerminal, readLine: () => 'y\n' })).toMatchObject({ status: 0 });
    expect(existsSync(lease)).toBe(false);
  });
  it('without a terminal and without --yes it removes nothing', async () =>
    expect(await gc()).toMatchObject({ status: 1, stderr: expect.stringContaining('use --yes in scripts') }));
  it('for programs it prints names or JSON', async () => {
    expect((await gc({ isDryRun: true, output: 'name' })).stdout).toBe('lease/10.0.0.3\n');
    expect(JSON.parse((await gc({ isDryRun: true, output: 'json' })).stdout)).toMatchObject({
      schema: 1,
      stale: [{ kind: 'lease' }],
    });
  });
  it('without the list of the runtime it removes nothing', async () => {
    const environment = { CNI_NET_DIR: folder, CONTAINER_RUNTIME_ENDPOINT: '/none/x.sock' };
    expect(await gc({ isConfirmed: true }, { environment })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('nothing is removed'),
    });
    expect(existsSync(lease)).toBe(true);
  });
  it('without a configuration it fails', async () =>
    expect(await gc({}, { environment: { CNI_NET_DIR: '/none' } })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/none has no valid'),
    }));
});
