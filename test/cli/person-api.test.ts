import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPersonApi } from '../../src/cli/person-api.ts';

let server: Server;
let folder = '';
let kubeconfig = '';
const seen: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    if (request.url?.startsWith('/api/v1/secrets') === true) {
      response.writeHead(403).end(JSON.stringify({ message: 'secrets is forbidden' }));
      return;
    }
    const isSecond = request.url?.includes('continue=next%2Fpage') === true;
    response.end(JSON.stringify(isSecond ? { items: [3] } : { items: [1, 2], metadata: { continue: 'next/page' } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  folder = mkdtempSync(join(tmpdir(), 'podwire-person-'));
  kubeconfig = join(folder, 'config');
  const contexts = ['one', 'two'].map((name) => ({ name, context: { cluster: 'c', user: name } }));
  const users = ['one', 'two'].map((name) => ({ name, user: { token: `token-${name}` } }));
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      contexts,
      users,
      clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      'current-context': 'one',
    }),
  );
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
const open = (context?: string) => openPersonApi({ kubeconfig, context, timeoutMs: 5000 });

it('reads all pages of a list, with the credentials of the current context', async () => {
  expect(await (await open()).list('/api/v1/pods')).toEqual([1, 2, 3]);
  expect(seen).toEqual([
    '/api/v1/pods?limit=500 Bearer token-one',
    '/api/v1/pods?limit=500&continue=next%2Fpage Bearer token-one',
  ]);
});
it('or those of another context', async () => {
  await (await open('two')).list('/api/v1/nodes');
  expect(seen.at(-1)).toMatch(/ Bearer token-two$/);
});
it('reports what the server refuses', async () =>
  await expect((await open()).list('/api/v1/secrets')).rejects.toThrow(
    /refused to read \/api\/v1\/secrets \(403\): "secrets is forbidden"/,
  ));
it('reports a context or a file that does not exist', async () => {
  await expect(open('three')).rejects.toThrow('there is no cluster in the kubeconfig');
  await expect(openPersonApi({ kubeconfig: '/none', context: undefined, timeoutMs: 1 })).rejects.toThrow(
    '/none cannot be used',
  );
});
