import { readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { openCluster, type Cluster } from '../../src/cluster/cluster.ts';
import { readConnection } from '../../src/cluster/connection.ts';
import { startDeadline, type Deadline } from '../../src/cluster/deadline.ts';
import type { Fault } from '../tools/loopback-api/fault.ts';
import { aConnectionConfig, CANARY, openLoopbackCluster, refusalOf, WEB } from './loopback-cluster.ts';

const soon = () => startDeadline(5000);

describe('what the API says', () => {
  it('pod and node are read over one connection', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    const deadline = soon();
    cluster.begin();
    const [pod, node] = await Promise.all([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)]);
    expect(pod).toMatchObject({ ...WEB, uid: 'uid-1', nodeName: 'n1', hostNetwork: false, annotations: { kept: 'yes' }, labels: { app: 'web' } });
    expect(node).toMatchObject({
      podCidrs: [
        { address: { family: 'ipv6', text: 'fd71::' }, prefixLength: 64 },
        { address: { family: 'ipv4', text: '10.71.0.0' }, prefixLength: 24 },
      ],
    });
    expect(api.connections).toBe(1);
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/default/pods/web', '/api/v1/nodes/n1']);
  });

  it('requests of one turn leave in one write', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = createServer((socket) => socket.once('data', (bytes) => resolve(bytes.toString())));
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const apiRoot = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    using cluster = openCluster({
      connect: () => readConnection(aConnectionConfig({ apiRoot }), {}),
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

  it('a pod that is not there is absent', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.readPod({ namespace: 'default', name: 'gone' }, soon())).toBe('absent');
  });

  it('a node that is not there is absent', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.readNode('n2', soon())).toBe('absent');
  });

  it('a patch merges annotations and gives the pod as it is then', async () => {
    await using loopback = await openLoopbackCluster();
    const pod = await loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: { 'a/b': '1' } }, soon());
    expect(pod).toMatchObject({ uid: 'uid-1', annotations: { kept: 'yes', 'a/b': '1' } });
    expect(JSON.parse(loopback.api.requests[0]?.body ?? '')).toEqual({ metadata: { uid: 'uid-1', annotations: { 'a/b': '1' } } });
  });

  it('a patch without uid sends none', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.cluster.patchPodAnnotations(WEB, { uid: undefined, annotations: {} }, soon());
    expect(loopback.api.requests[0]?.body).toBe('{"metadata":{"annotations":{}}}');
  });

  it('a patch for another uid is a conflict, and changes nothing', async () => {
    await using loopback = await openLoopbackCluster();
    expect(await loopback.cluster.patchPodAnnotations(WEB, { uid: 'uid-2', annotations: { a: '1' } }, soon())).toBe('conflict');
    expect(loopback.api.pod('default', 'web')?.metadata.annotations).toEqual({ kept: 'yes' });
  });

  it('a patch for an older version is a conflict', async () => {
    await using loopback = await openLoopbackCluster();
    const patch = { uid: 'uid-1', resourceVersion: '1', annotations: {} };
    expect(await loopback.cluster.patchPodAnnotations(WEB, patch, soon())).toBe('conflict');
  });

  it('a patch of a pod that is not there is absent', async () => {
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
      connect: () => readConnection(aConnectionConfig({ apiRoot: `${api.url}/base/`, token: CANARY }), {}),
      budgets: { apiConnectMs: 500, apiRequestMs: 500 },
      log: { debug: () => undefined },
    });
    await cluster.readNode('n1', soon());
    expect(api.requests[0]?.path).toBe('/base/api/v1/nodes/n1');
  });

  it('a name cannot lead to another path', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await refusalOf(cluster.readPod({ namespace: '..', name: 'web' }, soon()));
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

describe('a server that fails', () => {
  const WRONG_SHAPE = '{"kind":"Pod","metadata":[],"spec":{}}';
  const cases: readonly (readonly [why: string, fault: Fault, code: number, message: RegExp])[] = [
    ['refuses connections', { kind: 'refuse' }, 11, /refuses connections \(ECONNREFUSED\)/],
    ['resets the connection at once', { kind: 'reset', at: 'accept' }, 11, /ECONNRESET|closed the connection/],
    ['resets in the handshake', { kind: 'reset', at: 'tls' }, 11, /ECONNRESET|closed the connection/],
    ['resets before the answer', { kind: 'reset', at: 'headers' }, 11, /closed the connection without an answer/],
    ['resets in the answer', { kind: 'reset', at: 'body' }, 11, /in the middle of an answer/],
    ['closes at once', { kind: 'close', at: 'accept' }, 11, /ECONNRESET|closed the connection/],
    ['closes before the answer', { kind: 'close', at: 'headers' }, 11, /closed the connection without an answer/],
    ['sends half a body', { kind: 'close', at: 'body' }, 11, /in the middle of an answer/],
    ['stalls in the handshake', { kind: 'stall', at: 'accept' }, 11, /TLS handshake within 150 ms/],
    ['stalls after the first bytes', { kind: 'stall', at: 'tls' }, 11, /TLS handshake within 150 ms/],
    ['stalls before the answer', { kind: 'stall', at: 'headers' }, 11, /gave no answer within 150 ms/],
    ['stalls in the answer', { kind: 'stall', at: 'body' }, 11, /gave no answer within 150 ms/],
    ['answers 500', { kind: 'status', status: 500 }, 11, /\(500\)/],
    ['answers 503', { kind: 'status', status: 503 }, 11, /\(503\)/],
    ['answers 429', { kind: 'status', status: 429 }, 11, /too many requests .*\(429\)/],
    ['sends HTML', { kind: 'html' }, 11, /\(502\)/],
    ['sends HTML as 200', { kind: 'body', body: '<html>' }, 11, /is no JSON/],
    ['sends JSON of another shape', { kind: 'body', body: WRONG_SHAPE }, 11, /metadata is a list, an object is wanted/],
    ['sends another pod', { kind: 'body', body: '{"metadata":{"namespace":"a","name":"b","uid":"c","resourceVersion":"1"},"spec":{}}' }, 11, /another pod, pod a\/b/],
    ['sends JSON nested 100,000 deep', { kind: 'body', body: '['.repeat(100_000) }, 11, /is no JSON|a list/],
    ['speaks another protocol', { kind: 'raw', bytes: 'SSH-2.0-OpenSSH_9.9\r\n' }, 11, /"SSH-2.0-OpenSSH_9.9", which is not HTTP\/1.1/],
    ['speaks HTTP/1.0', { kind: 'raw', bytes: 'HTTP/1.0 400 Bad Request\r\n\r\n' }, 11, /"HTTP\/1.0 400 Bad Request"/],
    ['redirects', { kind: 'status', status: 302, headers: { Location: 'https://evil.example/' } }, 100, /redirects to "https:\/\/evil.example\/" \(302\)/],
    ['knows no such path', { kind: 'status', status: 404 }, 100, /does not know the path .*\(404\)/],
    ['answers 418', { kind: 'status', status: 418 }, 100, /refused to get pod default\/web \(418\)/],
  ];
  for (const [why, fault, code, message] of cases) {
    it(`that ${why} is code ${code}, with server and reason, and no words that containerd swallows`, async () => {
      await using loopback = await openLoopbackCluster();
      const { api, cluster, logged } = loopback;
      await api.setFault(fault);
      const error = await refusalOf(cluster.readPod(WEB, soon()));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      expect(error.message).toContain(api.url);
      expect(error.message).toContain('get pod default/web');
      expectClean(error, logged);
    });
    it(`that ${why}, and then no more, serves the next request`, async () => {
      await using loopback = await openLoopbackCluster();
      const { api, cluster } = loopback;
      await api.setFault(fault);
      await refusalOf(cluster.readPod(WEB, soon()));
      await api.setFault(undefined);
      expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    });
  }

  it('does not hold back longer than the deadline', async () => {
    await using loopback = await openLoopbackCluster({}, {}, { apiConnectMs: 60_000, apiRequestMs: 60_000 });
    for (const at of ['accept', 'headers', 'body'] as const) {
      await loopback.api.setFault({ kind: 'stall', at });
      const error = await refusalOf(loopback.cluster.readPod(WEB, startDeadline(100)));
      expect(error).toMatchObject({ code: 11, message: expect.stringContaining('100 ms, was used up') });
    }
  });

  it('is left at once when the command is told to stop', async () => {
    await using loopback = await openLoopbackCluster({}, {}, { apiConnectMs: 60_000, apiRequestMs: 60_000 });
    await loopback.api.setFault({ kind: 'stall', at: 'headers' });
    const stop = new AbortController();
    const reading = refusalOf(loopback.cluster.readPod(WEB, startDeadline(60_000, stop.signal)));
    await vi.waitUntil(() => loopback.api.requests.length === 1);
    stop.abort();
    expect((await reading).message).toContain('told to stop');
  });

  it('that closes an idle connection is connected to again, once', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await cluster.readPod(WEB, soon());
    await api.setFault({ kind: 'close', at: 'headers' }, { times: 1 });
    expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    expect(api.connections).toBe(2);
  });

  it('a patch without an answer is not sent again', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster } = loopback;
    await cluster.readPod(WEB, soon());
    await api.setFault({ kind: 'close', at: 'headers' }, { times: 1 });
    const error = await refusalOf(cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, soon()));
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
    it(`that answers ${status} with Retry-After is waited for once`, async () => {
      await using loopback = await openLoopbackCluster();
      await loopback.api.setFault({ kind: 'status', status, retryAfterSeconds: 1 }, { times: 1 });
      const beganAt = performance.now();
      expect(await loopback.cluster.readPod(WEB, soon())).toMatchObject(WEB);
      expect(performance.now() - beganAt).toBeGreaterThan(990);
    });
  }

  it('that answers 429 twice is not waited for again', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'status', status: 429, retryAfterSeconds: 0 });
    expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).code).toBe(11);
    expect(loopback.api.requests).toHaveLength(2);
  });

  it('that wants more time than is left is not waited for', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'status', status: 503, retryAfterSeconds: 30 });
    const beganAt = performance.now();
    expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).code).toBe(11);
    expect(performance.now() - beganAt).toBeLessThan(900);
  });
});

describe('who is asking', () => {
  it('a token that has been replaced in the kubeconfig is read again', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath } = loopback;
    await cluster.readPod(WEB, soon());
    api.setToken('a-new-one');
    api.writeKubeconfig(kubeconfigPath);
    const deadline = soon();
    expect(await Promise.all([cluster.readPod(WEB, deadline), cluster.readNode('n1', deadline)])).toMatchObject([WEB, { name: 'n1' }]);
    expect(api.connections).toBe(2);
  });

  it('a token that stays refused names its file, account and expiry', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath, logged } = loopback;
    api.setToken('another');
    const error = await refusalOf(cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toContain('the token was refused (401)');
    expect(error.message).toContain(kubeconfigPath);
    expect(error.message).toContain('"system:serviceaccount:kube-system:podwire", which expired at 2020-09-13T12:26:40.000Z');
    expect(api.requests).toHaveLength(2);
    expectClean(error, logged);
  });

  it('no token at all is told', async () => {
    await using loopback = await openLoopbackCluster({}, { auth: 'none' });
    expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).message).toContain('neither a token nor a client certificate');
  });

  it('a kubeconfig that has gone when it is read again is told', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.cluster.readPod(WEB, soon());
    loopback.api.setToken('another');
    rmSync(loopback.kubeconfigPath);
    expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).message).toContain('does not exist (ENOENT)');
  });

  const patch = (cluster: Cluster, deadline: Deadline) => cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, deadline);
  const forbids: readonly (readonly [string, string, (cluster: Cluster, deadline: Deadline) => Promise<unknown>])[] = [
    ['get', 'pods', (cluster, deadline) => cluster.readPod(WEB, deadline)],
    ['get', 'nodes', (cluster, deadline) => cluster.readNode('n1', deadline)],
    ['patch', 'pods/status', patch],
  ];
  for (const [verb, resource, ask] of forbids) {
    it(`403 for ${verb} ${resource} names account, verb, resource and manifest`, async () => {
      await using loopback = await openLoopbackCluster();
      loopback.api.forbid({ verb, resource });
      const error = await refusalOf(ask(loopback.cluster, soon()));
      expect(error.code).toBe(ERROR_CODE.apiRefused);
      expect(error.message).toContain(`"system:serviceaccount:kube-system:podwire" may not ${verb} ${resource} (403): apply cni-conf/rbac.yaml`);
      expectClean(error, loopback.logged);
    });
  }

  it('a server that echoes the request does not get the token into a message', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'echo' });
    const error = await refusalOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.details).toContain('Bearer (token)');
    expectClean(error, loopback.logged);
  });
});

describe('who is answering', () => {
  it('a server of another authority is not trusted, and gets no token', async () => {
    await using other = await openLoopbackCluster();
    await using loopback = await openLoopbackCluster();
    loopback.api.writeKubeconfig(loopback.kubeconfigPath, { cluster: clusterOf(other.kubeconfigPath, loopback.api.url) });
    const error = await refusalOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toMatch(/is not trusted .*the certificate authority in the kubeconfig .*: put the cluster's CA there/);
    expect(loopback.api.requests).toHaveLength(0);
    expectClean(error, loopback.logged);
  });

  it('a server of another name is not trusted', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example', '10.0.0.1'] });
    const error = await refusalOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toMatch(/not for "127.0.0.1", but for "DNS:api.example, IP Address:10.0.0.1"/);
  });

  it('a server whose certificate has expired is not trusted', async () => {
    await using loopback = await openLoopbackCluster({ certificateEndsAt: new Date(1e12) });
    expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).message).toMatch(/CERT_HAS_EXPIRED.*not valid at this time/);
  });

  for (const name of ['api.example', '10.0.0.1']) {
    it(`tls-server-name ${name} is what the certificate must be for`, async () => {
      await using loopback = await openLoopbackCluster({ names: ['api.example', '10.0.0.1'] });
      const { api, cluster, kubeconfigPath } = loopback;
      api.writeKubeconfig(kubeconfigPath, { cluster: { ...clusterOf(kubeconfigPath, api.url), 'tls-server-name': name } });
      expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    });
  }

  it('insecure-skip-tls-verify takes any certificate', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example'] });
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { cluster: { server: api.url, 'insecure-skip-tls-verify': true } });
    expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example'] });
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    try {
      expect((await refusalOf(loopback.cluster.readPod(WEB, soon()))).message).toContain('is not trusted');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('https:// to a server without TLS says so', async () => {
    await using loopback = await openLoopbackCluster({ scheme: 'http' });
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { server: api.url.replace('http:', 'https:') });
    const error = await refusalOf(cluster.readPod(WEB, soon()));
    expect(error).toMatchObject({ code: ERROR_CODE.apiRefused, message: expect.stringContaining('does not speak TLS') });
  });

  it('http:// to a server with TLS is no answer', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { server: api.url.replace('https:', 'http:') });
    expect((await refusalOf(cluster.readPod(WEB, soon()))).code).toBe(ERROR_CODE.tryAgainLater);
  });
});

describe('the loopback API itself', () => {
  it('refuses connections while it is told to', async () => {
    await using loopback = await openLoopbackCluster();
    await loopback.api.setFault({ kind: 'refuse' });
    const refused = new Promise((resolve) => connectTcp(loopback.api.port, '127.0.0.1').once('error', resolve));
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

function clusterOf(kubeconfigPath: string, server: string): object {
  const config: { clusters: { cluster: object }[] } = JSON.parse(readFileSync(kubeconfigPath, 'utf8'));
  return { ...config.clusters[0]?.cluster, server };
}

function expectClean(error: Error & { details: string }, logged: readonly string[]): void {
  const inspected = [error.message, error.details, error.stack, String(error.cause), JSON.stringify(error), ...logged].join('\n');
  expect(inspected).not.toContain(CANARY);
  expect(inspected).not.toContain(CANARY.split('.')[2]);
  expect(`${error.message} ${error.details}`).not.toMatch(/not found/i);
}
