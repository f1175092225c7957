import { afterAll, beforeAll, expect, it } from 'vitest';
import { findExemption } from '../../../src/cli/observe/find-exemption.ts';
import { startLoopbackClient, type LoopbackClient } from '../../cluster/loopback-client.ts';

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

let api: LoopbackClient;
beforeAll(async () => {
  api = await startLoopbackClient((request, response) =>
    response.end(JSON.stringify(LISTS[request.url?.split('/').at(-1) ?? ''] ?? {})),
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const find = (refusal: string, account: string | undefined = 'kube-system/podwire') =>
  api.ask((client, deadline) => findExemption(client, refusal, account, deadline));

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
