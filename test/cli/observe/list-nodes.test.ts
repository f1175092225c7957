import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFreePodCidr, listNodes } from '../../../src/cli/observe/list-nodes.ts';
import { soon } from '../../cluster/loopback-cluster.ts';
import { startLoopbackClient, type LoopbackClient } from '../../cluster/loopback-client.ts';

let api: LoopbackClient;
let answer: object = {};
beforeAll(async () => {
  api = await startLoopbackClient((_request, response) => response.end(JSON.stringify(answer)));
});
afterAll(() => api[Symbol.asyncDispose]());

const list = () => api.ask(listNodes);

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
