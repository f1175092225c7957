import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFreePodCidr, listNodes } from '../../../src/cli/observe/list-nodes.ts';
import { openApiClient } from '../../../src/cluster/api-client.ts';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { connectionSettings, soon } from '../../cluster/loopback-cluster.ts';

let server: Server;
let answer: object = {};
beforeAll(async () => {
  server = createServer((_request, response) => response.end(JSON.stringify(answer)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function list() {
  const address = server.address();
  const apiRoot = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const connection = await readConnection(connectionSettings({ apiRoot }), {});
  using client = openApiClient({
    connect: () => connection,
    budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
    log: { debug: () => undefined },
  });
  using deadline = soon();
  return await listNodes(client, deadline);
}

const NODE = {
  metadata: { name: 'node-2' },
  spec: { podCIDRs: ['10.0.1.0/24'] },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    capacity: { pods: '110' },
    addresses: [
      { type: 'Hostname', address: 'node-2' },
      { type: 'InternalIP', address: '192.0.2.2' },
    ],
  },
};

it('reads what the checks need', async () => {
  answer = { items: [NODE, { metadata: { name: 'new' } }] };
  const nodes = await list();
  expect(nodes).toMatchObject({
    kind: 'seen',
    value: {
      areAll: true,
      items: [
        { name: 'node-2', isReady: true, maxPods: 110, addresses: [{ text: '192.0.2.2' }] },
        { name: 'new', isReady: false, maxPods: undefined, podCidrs: [], addresses: [] },
      ],
    },
  });
  expect(findFreePodCidr(nodes)).toBe('10.0.2.0/24');
});

it('of a part of the Nodes, no podCIDR is known to be free', async () => {
  answer = { metadata: { continue: 'more' }, items: [NODE] };
  expect(findFreePodCidr(await list())).toBeUndefined();
});

it('an unexpected answer, and no credentials', async () => {
  answer = { items: [{}] };
  expect(await list()).toMatchObject({ kind: 'unseen' });
  using deadline = soon();
  expect(await listNodes(undefined, deadline)).toMatchObject({ why: expect.stringContaining('--kubeconfig') });
});
