import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { observeApi, type ApiQuestions } from '../../../src/cli/observe/observe-api.ts';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { connectionSettings, openLoopbackCluster, type LoopbackCluster } from '../../cluster/loopback-cluster.ts';
import { networkConfig } from '../../support/builders/network-config.ts';

let loopback: LoopbackCluster;
beforeAll(async () => void (loopback = await openLoopbackCluster()));
afterEach(async () => {
  loopback.api.forbid(undefined);
  await loopback.api.setFault(undefined);
});
afterAll(() => loopback[Symbol.asyncDispose]());

const observe = async (overrides: Partial<ApiQuestions> = {}) =>
  observeApi({
    connection: await readConnection(connectionSettings({ kubeconfigPath: loopback.kubeconfigPath }), {}),
    budgets: networkConfig().budgets,
    nodeName: 'n1',
    pod: 'default/web',
    failedPods: ['default/web', 'default/gone'],
    other: undefined,
    timeoutMs: 5000,
    show: (text) => text,
    ...overrides,
  });

it('reads the version, the Node, whether an endpoint may be written, and which pods are gone', async () =>
  expect(await observe()).toMatchObject({
    source: `the kubeconfig ${loopback.kubeconfigPath}`,
    answer: { kind: 'ok', version: 'v1.36.1' },
    node: { kind: 'seen', value: { podCidrs: [{ prefixLength: 64 }, { prefixLength: 24 }] } },
    dryRun: { kind: 'seen', value: { pod: 'default/web', error: undefined } },
    deletedPods: ['default/gone'],
    slowestMs: expect.any(Number),
  }));

it('a Node that does not exist', async () =>
  expect(await observe({ nodeName: 'none' })).toMatchObject({ node: { value: 'absent' } }));
it('without a pod nothing is tried', async () =>
  expect(await observe({ pod: undefined })).toMatchObject({ dryRun: { kind: 'unseen' } }));

it('a missing permission is not what admission refuses', async () => {
  loopback.api.forbid({ verb: 'patch', resource: 'pods/status' });
  expect(await observe()).toMatchObject({ dryRun: { kind: 'unseen', why: expect.stringContaining('not permitted') } });
});

it('a server that refuses the token is asked nothing else', async () => {
  await loopback.api.setFault({ kind: 'status', status: 401 });
  expect(await observe()).toMatchObject({
    answer: { kind: 'failed', error: { finding: 'PW401' } },
    rights: { kind: 'unseen' },
    dryRun: { kind: 'unseen' },
    slowestMs: undefined,
  });
});
