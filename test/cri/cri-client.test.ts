import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCriClient } from '../../src/cri/cri-client.ts';
import { startCriServer, type CriServer } from '../lab/doctor-node/cri-server.ts';

let folder = '';
let server: CriServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'podwire-cri-'));
  const sandboxes = () => [{ id: 'c1', namespace: 'default', name: 'web' }];
  server = await startCriServer(join(folder, 'cri.sock'), {
    configs: '/etc/cni/net.d',
    programs: '/opt/cni/bin',
    sandboxes,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

it('reads the name of the runtime and its folders', async () => {
  using client = openCriClient(server.socketPath, 5000);
  expect(await client.identify()).toEqual({
    name: 'test-runtime 1.0.0',
    folders: { configs: '/etc/cni/net.d', programs: ['/opt/cni/bin'] },
  });
});

it('lists sandboxes', async () => {
  using client = openCriClient(server.socketPath, 5000);
  expect(await client.listSandboxes()).toEqual([{ id: 'c1', namespace: 'default', name: 'web', isReady: true }]);
});

it('fails in time if nothing answers', async () => {
  using client = openCriClient(join(folder, 'none.sock'), 1000);
  await expect(client.listSandboxes()).rejects.toThrow(/UNAVAILABLE|DEADLINE/);
});
