import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findExemption } from '../../../src/cli/observe/find-exemption.ts';
import { openApiClient } from '../../../src/cluster/api-client.ts';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { connectionSettings, soon } from '../../cluster/loopback-cluster.ts';

const LISTS: Readonly<Record<string, object>> = {
  validatingwebhookconfigurations: { items: [{ metadata: { name: 'a' }, webhooks: [{ name: 'x' }] }] },
  mutatingwebhookconfigurations: {
    items: [
      {
        metadata: { name: 'b' },
        webhooks: [{ name: 'y' }, { name: 'z', matchConditions: [{ name: 'm', expression: 'true' }] }],
      },
    ],
  },
};

let server: Server;
beforeAll(async () => {
  server = createServer((request, response) =>
    response.end(JSON.stringify(LISTS[request.url?.split('/').at(-1) ?? ''] ?? {})),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function find(refusal: string, account: string | undefined = 'kube-system/podwire') {
  const address = server.address();
  const apiRoot = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const connection = await readConnection(connectionSettings({ apiRoot }), {});
  using client = openApiClient({
    connect: () => connection,
    budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
    log: { debug: () => undefined },
  });
  using deadline = soon();
  return await findExemption(client, refusal, account, deadline);
}

it('makes a condition that leaves the account out', async () =>
  expect(await find('admission webhook "x" denied the request')).toBe(
    `kubectl patch validatingwebhookconfigurations a --type=json -p '[{"op":"add","path":"/webhooks/0/matchConditions","value":[{"name":"not-podwire","expression":"request.userInfo.username != \\"system:serviceaccount:kube-system:podwire\\""}]}]'`,
  ));
it('adds it to the conditions that a webhook has', async () =>
  expect(await find('failed calling webhook "z"')).toContain('"path":"/webhooks/1/matchConditions/-"'));
it('an unknown webhook, another message and an unknown account have none', async () => {
  expect(await find('admission webhook "unknown" denied')).toBeUndefined();
  expect(await find('over quota')).toBeUndefined();
  expect(await find('admission webhook "x" denied', '')).toBeTypeOf('string');
});
