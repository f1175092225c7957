import { describe, expect, it } from 'vitest';
import type { ApiClientOptions } from '../../src/cluster/api-client.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { isTokenRefused } from '../../src/cluster/token-check.ts';
import { connectionSettings, CANARY, openLoopbackCluster, rejectionOf, soon } from './loopback-cluster.ts';

function optionsFor(kubeconfigPath: string): ApiClientOptions {
  return {
    connect: () => readConnection(connectionSettings({ kubeconfigPath }), {}),
    budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
    log: { debug: () => undefined },
  };
}

describe('whether a token is refused', () => {
  it('is recognized by the response alone', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await isTokenRefused(optionsFor(loopback.kubeconfigPath), soon())).toBe(false);
    loopback.api.setToken(`${CANARY}x`);
    expect(await isTokenRefused(optionsFor(loopback.kubeconfigPath), soon())).toBe(true);
  });

  it('is not known from a server that is away, or fails', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'refuse' });
    expect((await rejectionOf(isTokenRefused(optionsFor(loopback.kubeconfigPath), soon()))).code).toBe(11);
  });
});
