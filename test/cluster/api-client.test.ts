import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { startTcpRelay } from '../support/servers/tcp-relay.ts';
import { clusterOf, expectClean, openLoopbackCluster, rejectionOf, soon, WEB } from './loopback-cluster.ts';
import { until } from '../lab/until.ts';

describe('a server that fails', () => {
  it('does not delay a request beyond the deadline', async () => {
    await using loopback = await openLoopbackCluster({}, {}, { apiConnectMs: 60_000, apiRequestMs: 60_000 });
    for (const at of ['accept', 'headers', 'body'] as const) {
      await loopback.api.setFault({ kind: 'stall', at });
      const error = await rejectionOf(loopback.cluster.readPod(WEB, startDeadline(100)));
      expect(error).toMatchObject({ code: 11, message: expect.stringContaining('100 ms, was used up') });
    }
  });

  it('is abandoned at once when the command gets a signal', async () => {
    await using loopback = await openLoopbackCluster({}, {}, { apiConnectMs: 60_000, apiRequestMs: 60_000 });
    await loopback.api.setFault({ kind: 'stall', at: 'headers' });
    const stop = new AbortController();
    const reading = rejectionOf(loopback.cluster.readPod(WEB, startDeadline(60_000, stop.signal)));
    await until('the request has arrived', () => loopback.api.requests.length === 1);
    stop.abort();
    expect((await reading).message).toContain('told to stop');
  });

  it('that closes an idle connection is reconnected once', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await cluster.readPod(WEB, soon());
    await api.setFault({ kind: 'close', at: 'headers' }, { times: 1 });
    expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    expect(api.connections).toBe(2);
  });

  it('that has closed the connection gets the next request, also a patch, on a new one', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, kubeconfigPath } = loopback;
    await using relay = await startTcpRelay(api.url);
    api.writeKubeconfig(kubeconfigPath, { cluster: clusterOf(kubeconfigPath, relay.url) });
    for (const again of [
      () => loopback.cluster.readPod(WEB, soon()),
      () => loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, soon()),
    ]) {
      await loopback.cluster.readPod(WEB, soon());
      const opened = relay.opened();
      await relay.endAll();
      expect(await again()).toMatchObject(WEB);
      expect(relay.opened()).toBe(opened + 1);
    }
  });

  it('a patch without an answer is not sent again', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await cluster.readPod(WEB, soon());
    await api.setFault({ kind: 'close', at: 'headers' }, { times: 1 });
    const error = await rejectionOf(cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, soon()));
    expect(error.code).toBe(11);
    expect(api.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  it('that says "Connection: close" answers the other request on a new connection', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await api.setFault({ kind: 'last-answer' }, { times: 1 });
    const deadline = soon();
    const both = await Promise.all([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)]);
    expect(both).toMatchObject([WEB, { name: 'n1' }]);
    expect(await cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, deadline)).toMatchObject(WEB);
    expect(api.connections).toBe(2);
  });

  for (const status of [429, 503]) {
    it(`that answers ${status} with Retry-After gets the request again, once`, async () => {
      await using loopback = await openLoopbackCluster();
      await loopback.api.setFault({ kind: 'status', status, retryAfterSeconds: 1 }, { times: 1 });
      const beganAtMs = performance.now();
      expect(await loopback.cluster.readPod(WEB, soon())).toMatchObject(WEB);
      expect(performance.now() - beganAtMs).toBeGreaterThan(990);
    });
  }

  it('that rejects many requests at once gets them again one by one', async () => {
    const waitsMs = await Promise.all(
      Array.from({ length: 12 }, async () => {
        await using loopback = await openLoopbackCluster();
        await loopback.api.setFault({ kind: 'status', status: 429, retryAfterSeconds: 0 }, { times: 1 });
        const beganAtMs = performance.now();
        await loopback.cluster.readPod(WEB, soon());
        return performance.now() - beganAtMs;
      }),
    );
    expect(Math.max(...waitsMs) - Math.min(...waitsMs)).toBeGreaterThan(100);
  });

  it('that answers 429 twice does not get the request a third time', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'status', status: 429, retryAfterSeconds: 0 });
    expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).code).toBe(11);
    expect(loopback.api.requests).toHaveLength(2);
  });

  it('whose Retry-After is longer than the time left does not get the request again', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'status', status: 503, retryAfterSeconds: 30 });
    expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).code).toBe(11);
  });
});

describe('the identity of the client', () => {
  it('a token that has been replaced in the kubeconfig is read again', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath } = loopback;
    await cluster.readPod(WEB, soon());
    api.setToken('a-new-one');
    api.writeKubeconfig(kubeconfigPath);
    const deadline = soon();
    expect(await Promise.all([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)])).toMatchObject([
      WEB,
      { name: 'n1' },
    ]);
    expect(api.connections).toBe(2);
  });

  it('a token that is refused again is an error with its file, account and expiry', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath, logged } = loopback;
    api.setToken('another');
    const error = await rejectionOf(cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toContain('the token was refused (401)');
    expect(error.message).toContain(kubeconfigPath);
    expect(error.message).toContain(
      '"system:serviceaccount:kube-system:podwire", which expired at 2020-09-13T12:26:40.000Z',
    );
    expect(api.requests).toHaveLength(2);
    expectClean(error, logged);
  });

  it('a missing token is reported', async () => {
    await using loopback = await openLoopbackCluster({}, { auth: 'none' });
    expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).message).toContain(
      'neither a token nor a client certificate',
    );
  });

  it('a kubeconfig that is gone when it is read again is reported', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.cluster.readPod(WEB, soon());
    loopback.api.setToken('another');
    rmSync(loopback.kubeconfigPath);
    expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).message).toContain('does not exist (ENOENT)');
  });

  it('a server that echoes the request does not get the token into a message', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'echo' });
    const error = await rejectionOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.details).toContain('Bearer (token)');
    expectClean(error, loopback.logged);
  });
});
