import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openCluster } from '../../src/cluster/cluster.ts';
import { parseCidr } from '../../src/address/cidr.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { connectionSettings, CANARY, openLoopbackCluster, rejectionOf, soon, WEB } from './loopback-cluster.ts';

describe('requests to the API', () => {
  it('pod and node are read over one connection', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    const deadline = soon();
    await expect(cluster.checkServer()).resolves.toMatchObject({ isReachable: true }); // a separate connection, without a request
    const [pod, node] = await Promise.all([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)]);
    expect(pod).toMatchObject({
      ...WEB,
      uid: 'uid-1',
      nodeName: 'n1',
      hostNetwork: false,
      annotations: { kept: 'yes' },
    });
    expect(node).toMatchObject({
      podCidrs: [parseCidr('fd71::/64'), parseCidr('10.71.0.0/24')],
    });
    expect(api.connections).toBe(2);
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/default/pods/web', '/api/v1/nodes/n1']);
  });

  it('requests of one turn of the event loop are sent in one write', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = createServer((socket) => socket.once('data', (bytes) => resolve(bytes.toString())));
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const apiRoot = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    using cluster = openCluster({
      connect: () => readConnection(connectionSettings({ apiRoot }), {}),
      budgets: { apiConnectMs: 1000, apiRequestMs: 1000 },
      log: { debug: () => undefined },
    });
    const deadline = soon();
    const both = Promise.allSettled([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)]);
    expect((await promise).match(/^GET .*$/gm)).toHaveLength(2);
    cluster[Symbol.dispose]();
    await both;
    server.close();
  });

  it('a missing pod is absent', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.readPod({ namespace: 'default', name: 'gone' }, soon())).toBe('absent');
  });

  it('a missing node is absent', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.readNode('n2', soon())).toBe('absent');
  });

  it('a patch merges annotations and returns the patched pod', async () => {
    await using loopback = await openLoopbackCluster();
    const pod = await loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: { 'a/b': '1' } }, soon());
    expect(pod).toMatchObject({ uid: 'uid-1', annotations: { kept: 'yes', 'a/b': '1' } });
    expect(JSON.parse(loopback.api.requests[0]?.body ?? '')).toEqual({
      metadata: { uid: 'uid-1', annotations: { 'a/b': '1' } },
    });
  });

  it('a patch without uid sends none', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.cluster.patchPodAnnotations(WEB, { uid: undefined, annotations: {} }, soon());
    expect(loopback.api.requests[0]?.body).toBe('{"metadata":{"annotations":{}}}');
  });

  it('a patch for another uid is a conflict, and changes nothing', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-2', annotations: { a: '1' } }, soon())).toBe(
      'conflict',
    );
    expect(loopback.api.pod('default', 'web')?.metadata.annotations).toEqual({ kept: 'yes' });
  });

  it('a patch for an older version is a conflict', async () => {
    await using loopback = await openLoopbackCluster();
    const patch = { uid: 'uid-1', resourceVersion: '1', annotations: {} };
    expect(await loopback.cluster.patchPodAnnotations(WEB, patch, soon())).toBe('conflict');
  });

  it('a patch of a missing pod is absent', async () => {
    await using loopback = await openLoopbackCluster();
    loopback.api.deletePod('default', 'web');
    expect(await loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, soon())).toBe('absent');
  });

  it('the probe gives the version', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.probe(soon())).toBe('v1.36.1');
  });

  it('a URL with a path before /api keeps it', async () => {
    await using loopback = await openLoopbackCluster({ scheme: 'http' });
    const { api } = loopback;
    using cluster = openCluster({
      connect: () => readConnection(connectionSettings({ apiRoot: `${api.url}/base/`, token: CANARY }), {}),
      budgets: { apiConnectMs: 500, apiRequestMs: 500 },
      log: { debug: () => undefined },
    });
    await cluster.readNode('n1', soon());
    expect(api.requests[0]?.path).toBe('/base/api/v1/nodes/n1');
  });

  it('a name cannot lead to another path', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await rejectionOf(cluster.readPod({ namespace: '..', name: 'web' }, soon()));
    await cluster.readPod({ namespace: 'a/../b?c#d', name: 'x y\n' }, soon());
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/a%2F..%2Fb%3Fc%23d/pods/x%20y%0A']);
  });

  it('a client certificate is enough', async () => {
    await using loopback = await openLoopbackCluster({}, { auth: 'certificate' });
    expect(await loopback.cluster.readPod(WEB, soon())).toMatchObject(WEB);
  });

  it('IPv6 loopback is reached', async () => {
    await using loopback = await openLoopbackCluster({ host: '::1' });
    expect(await loopback.cluster.readPod(WEB, soon())).toMatchObject(WEB);
  });

  it('a kubeconfig in YAML is read', async () => {
    await using loopback = await openLoopbackCluster({}, { format: 'yaml' });
    expect(await loopback.cluster.readPod(WEB, soon())).toMatchObject(WEB);
  });
});
