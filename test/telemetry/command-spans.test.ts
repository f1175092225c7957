import { expect, it } from 'vitest';
import type { ApiClient } from '../../src/cluster/api-client.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { parseCidr } from '../../src/address/cidr.ts';
import { openCommandSpans } from '../../src/telemetry/command-spans.ts';
import { openSpanRecorder } from '../../src/telemetry/spans.ts';

function open() {
  const time = { ms: 0 };
  let count = 0;
  const recorder = openSpanRecorder(
    () => time.ms,
    () => `id-${++count}`,
  );
  return { time, recorder, spans: openCommandSpans(recorder, 'root', () => time.ms) };
}

const address = parseCidr('10.0.0.2/32');

it('the time in which the kernel applies steps is that of the link, then that of addresses and routes', () => {
  const { time, recorder, spans } = open();
  const end = spans.beginCall('kernel.apply', []);
  spans.onStep({ kind: 'set-up', in: 'host', interface: 'cali1' });
  time.ms = 4;
  for (const place of ['host', 'sandbox'] as const)
    spans.onStep({ kind: 'add-address', in: place, interface: 'eth0', address });
  time.ms = 6;
  end(new Error('it exists'));
  expect(recorder.finish()).toMatchObject([
    { name: 'link', beginMs: 0, endMs: 4, parentId: 'root', error: undefined },
    { name: 'addresses and routes', beginMs: 4, endMs: 6, error: 'it exists' },
  ]);
});

it('a request to change a pod is a part of the endpoint, and one to read is not', async () => {
  const { recorder, spans } = open();
  const client: ApiClient = {
    checkServer: async () => ({ isReachable: true, connectionId: '' }),
    connect: () => undefined,
    send: () => Promise.reject(new Error('refused')),
    [Symbol.dispose]: () => undefined,
  };
  const watched = spans.withRequests(client);
  using deadline = startDeadline(100);
  const end = spans.beginCall('cluster.patchPodIf', []);
  for (const [verb, resource] of [
    ['patch', 'pods/status'],
    ['get', 'nodes'],
  ] as const)
    await watched
      .send({ purpose: { verb, resource, object: 'x' }, path: '/api/v1/x' }, deadline)
      .catch(() => undefined);
  end();
  expect(recorder.finish()).toMatchObject([
    { name: 'endpoint', parentId: 'root' },
    {
      name: 'PATCH pods/status',
      parentId: 'id-1',
      kind: 'client',
      error: 'refused',
      attributes: { 'url.path': '/api/v1/x' },
    },
    { name: 'GET nodes', parentId: 'root' },
  ]);
});

it('calls that take no time have no span', () => {
  const { time, recorder, spans } = open();
  spans.beginCall('journal.list', [])();
  spans.beginCall('agent.waitUntilReady', [])();
  const end = spans.beginCall('agent.waitUntilReady', []);
  time.ms = 500;
  end();
  expect(recorder.finish()).toMatchObject([{ name: 'agent readiness', beginMs: 0, endMs: 500 }]);
});
