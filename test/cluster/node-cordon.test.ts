import { describe, expect, it } from 'vitest';
import type { ApiClientOptions } from '../../src/cluster/api-client.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { isNodeCordoned } from '../../src/cluster/node-cordon.ts';
import { connectionSettings, openLoopbackCluster, rejectionOf, soon } from './loopback-cluster.ts';

function optionsFor(kubeconfigPath: string): ApiClientOptions {
  return {
    connect: () => readConnection(connectionSettings({ kubeconfigPath }), {}),
    budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
    log: { debug: () => undefined },
  };
}

describe('whether a Node gets new pods', () => {
  it.each([
    ['without spec.unschedulable', {}, false],
    ['with spec.unschedulable', { unschedulable: true }, true],
    ['with spec.unschedulable false', { unschedulable: false }, false],
  ])('%s', async (_, spec, expected) => {
    await using loopback = await openLoopbackCluster();
    loopback.api.putNode({ metadata: { name: 'n1', uid: 'u1' }, spec });
    expect(await isNodeCordoned(optionsFor(loopback.kubeconfigPath), 'n1', soon())).toBe(expected);
  });

  it('a Node that was deleted gets none', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await isNodeCordoned(optionsFor(loopback.kubeconfigPath), 'gone', soon())).toBe(true);
  });

  it('is not known from a server that is away', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'refuse' });
    const error = await rejectionOf(isNodeCordoned(optionsFor(loopback.kubeconfigPath), 'n1', soon()));
    expect(error.code).toBe(11);
  });
});
