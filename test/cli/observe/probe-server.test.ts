import { afterAll, beforeAll, expect, it } from 'vitest';
import { probeServer } from '../../../src/cli/observe/probe-server.ts';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { connectionSettings, openLoopbackCluster, type LoopbackCluster } from '../../cluster/loopback-cluster.ts';

let loopback: LoopbackCluster;
beforeAll(async () => void (loopback = await openLoopbackCluster()));
afterAll(() => loopback[Symbol.asyncDispose]());
const connection = () => readConnection(connectionSettings({ kubeconfigPath: loopback.kubeconfigPath }), {});

it('reports certificate, TLS version and clock of a server, without credentials', async () => {
  const before = loopback.api.requests.length;
  const probe = await probeServer(await connection(), 5000);
  expect(probe).toEqual({
    clockAheadMs: expect.any(Number),
    certificate: { issuer: 'loopback-ca', validFromMs: expect.any(Number), validToMs: expect.any(Number) },
    tlsVersion: 'TLS 1.3',
    elapsedMs: expect.any(Number),
  });
  expect(Math.abs(probe.clockAheadMs ?? Number.NaN)).toBeLessThan(2000);
  expect(loopback.api.requests.length).toBe(before + 1);
});

it('of a server that refuses connections nothing is known', async () => {
  await loopback.api.setFault({ kind: 'refuse' });
  const probe = await probeServer(await connection(), 5000);
  await loopback.api.setFault(undefined);
  expect(probe).toEqual({
    clockAheadMs: undefined,
    certificate: undefined,
    tlsVersion: undefined,
    elapsedMs: undefined,
  });
});

it('a server that does not answer is given up in time, and its certificate is known', async () => {
  await loopback.api.setFault({ kind: 'stall', at: 'headers' });
  const probe = await probeServer(await connection(), 500);
  await loopback.api.setFault(undefined);
  expect(probe).toMatchObject({ clockAheadMs: undefined, certificate: { issuer: 'loopback-ca' } });
});
