import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { waitForReadinessGates } from '../../src/agent/readiness-gates.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';

const never = new AbortController().signal;
const QUICK = { budgetMs: 300, attemptMs: 50 };
/** Long enough for a response on a busy machine. */
const PATIENT = { budgetMs: 30_000, attemptMs: 500 };

async function gate(statuses: readonly number[]) {
  let asked = 0;
  const server = createServer((_, response) => {
    response.writeHead(statuses[Math.min(asked++, statuses.length - 1)] ?? 500).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

it('without a gate nothing is requested', async () => {
  await expect(waitForReadinessGates([], never)).resolves.toBeUndefined();
});

it('a gate that is ready gets one request', async () => {
  await using ready = await gate([204]);
  await waitForReadinessGates([ready.url], never, PATIENT);
  expect(ready.asked()).toBe(1);
});

it('a gate that becomes ready gets requests until it is', async () => {
  await using ready = await gate([503, 503, 200]);
  await waitForReadinessGates([ready.url], never, PATIENT);
  expect(ready.asked()).toBe(3);
});

it('a gate that never becomes ready is an error with its URL and its status', async () => {
  await using shut = await gate([503]);
  await expect(waitForReadinessGates([shut.url], never, QUICK)).rejects.toMatchObject({
    code: ERROR_CODE.tryAgainLater,
    message: expect.stringContaining(shut.url),
    details: 'it responded with status 503',
  });
});

it('a gate that refuses connections is an error with this reason', async () => {
  const gone = await gate([200]);
  await gone[Symbol.asyncDispose]();
  await expect(waitForReadinessGates([gone.url], never, QUICK)).rejects.toMatchObject({
    details: expect.stringContaining('ECONNREFUSED'),
  });
});
