import { Readable } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTest } from '../../src/cli/test-connection.ts';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { CANARY, openLoopbackCluster, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { netconf } from '../lab/netconf.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let loopback: LoopbackCluster;
let folder = '';
beforeAll(async () => {
  loopback = await openLoopbackCluster();
  folder = mkdtempSync(join(tmpdir(), 'podwire-test-connection-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await loopback[Symbol.asyncDispose]();
});

const plugin = (overrides = {}) =>
  netconf({ nodename: 'n1', kubernetes: { kubeconfig: loopback.kubeconfigPath }, ...overrides });
const list = () => ({
  cniVersion: '1.0.0',
  name: 'k8s',
  plugins: [{ ...plugin(), name: undefined, cniVersion: undefined }, { type: 'portmap' }],
});

async function test(stdin: string, { config, ...overrides }: Partial<CliIo> & { readonly config?: string } = {}) {
  const captured = cliIo({ stdin: () => Readable.from([Buffer.from(stdin)]), ...overrides });
  const status = await runTest({ config, timeoutSeconds: 5 }, captured.io);
  return { status, stdout: captured.stdout, stderr: captured.stderr };
}

const FINE = { status: 0, stdout: expect.stringMatching(/^the API server answers: v1\.36\.1\n✓ PW201 /), stderr: '' };

describe('podwire -t', () => {
  it('tests the configuration of one plugin', async () => expect(await test(JSON.stringify(plugin()))).toEqual(FINE));
  it('tests the list of plugins that is on a node', async () =>
    expect(await test(JSON.stringify(list()))).toEqual(FINE));
  it('tests a file', async () => {
    const path = join(folder, 'file.conflist');
    writeFileSync(path, JSON.stringify(list()));
    expect(await test('', { config: path })).toEqual(FINE);
  });
  it('on a terminal, tests the first configuration of the node instead of waiting for input', async () => {
    writeFileSync(join(folder, '10-a.conflist'), JSON.stringify(list()));
    const environment = { CNI_NET_DIR: folder };
    expect(await test('', { environment, isTerminal: (fd) => fd === 0 })).toEqual({
      ...FINE,
      stderr: `testing ${join(folder, '10-a.conflist')}\n`,
    });
  });

  const refuses = (what: string, stdin: () => string, message: RegExp) =>
    it(`reports in one line why it failed: ${what}`, async () => {
      const { status, stdout, stderr } = await test(stdin());
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toMatch(message);
    });
  refuses('no configuration', () => '', /is empty/);
  refuses('a configuration that is not an object', () => '[]', /object/);
  refuses('a configuration without a name', () => '{}', /name/);
  refuses('no kubeconfig', () => JSON.stringify(plugin({ kubernetes: { kubeconfig: '/none' } })), /\/none/);

  it('a Node that does not exist is a finding', async () =>
    expect(await test(JSON.stringify(plugin({ nodename: 'other' })))).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('PW302  The API server has no Node "other".'),
    }));

  it('shows no secret if the server rejects the request', async () => {
    await loopback.api.setFault({ kind: 'status', status: 401 });
    const { status, stdout, stderr } = await test(JSON.stringify(plugin()));
    await loopback.api.setFault(undefined);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/\(401\).*\[PW401\]\n$/) });
    expect(stdout + stderr).not.toContain(CANARY);
  });

  it('ends in time if the server accepts the connection and never answers', async () => {
    await loopback.api.setFault({ kind: 'stall', at: 'tls' });
    const captured = cliIo({ stdin: () => Readable.from([Buffer.from(JSON.stringify(plugin()))]) });
    const status = await runTest({ config: undefined, timeoutSeconds: 1 }, captured.io);
    await loopback.api.setFault(undefined);
    expect([status, captured.stderr]).toEqual([1, expect.stringContaining('[PW201]')]);
  });
});
