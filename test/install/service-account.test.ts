import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRejected, issuePluginToken, readOwnConnection } from '../../src/install/service-account.ts';
import { makeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { startTokenServer } from '../support/servers/token-server.ts';
import { makeFolder } from './make-folder.ts';

it('a token is issued and checked over the connection in the environment', async () => {
  using folder = makeFolder();
  await using server = await startTokenServer(60_000);
  const KUBECONFIG = join(folder.path, 'kubeconfig');
  writeFileSync(
    KUBECONFIG,
    JSON.stringify(makeKubeconfig(server.url, server.certificateAuthorityPem, { token: 'mine' })),
  );
  const silent = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };
  const io = { environment: { KUBECONFIG }, log: silent, signal: new AbortController().signal };
  const issued = await issuePluginToken({ account: 'podwire', namespace: 'kube-system' }, 'node-1', io);
  expect([issued.token.reveal(), issued.lifeMs]).toEqual(['token-1', 60_000]);
  expect((await readOwnConnection(io.environment)).server.text).toBe(server.url);
  expect(await isRejected(issued, io)).toBe(false);
});
