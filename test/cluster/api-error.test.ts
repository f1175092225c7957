import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { failedRequestError, parseStatus, refusedRequestError, type Purpose } from '../../src/cluster/api-error.ts';
import { makeSecret } from '../../src/cluster/credentials/secret.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import type { Deadline } from '../../src/cluster/wire/deadline.ts';
import type { Fault } from '../lab/loopback-api/fault.ts';
import { connectionSettings, expectClean, openLoopbackCluster, rejectionOf, soon, WEB } from './loopback-cluster.ts';

// Long enough for a busy machine, short enough to wait for.
const SHORT = { apiConnectMs: 300, apiRequestMs: 300 };

describe('a server that fails', () => {
  const WRONG_SHAPE = '{"kind":"Pod","metadata":[],"spec":{}}';
  const cases: readonly (readonly [why: string, fault: Fault, code: number, message: RegExp])[] = [
    ['refuses connections', { kind: 'refuse' }, 11, /refuses connections \(ECONNREFUSED\)/],
    ['resets the connection at once', { kind: 'reset', at: 'accept' }, 11, /ECONNRESET|closed the connection/],
    ['resets in the handshake', { kind: 'reset', at: 'tls' }, 11, /ECONNRESET|closed the connection/],
    ['resets before the answer', { kind: 'reset', at: 'headers' }, 11, /closed the connection without a response/],
    ['resets in the answer', { kind: 'reset', at: 'body' }, 11, /in the middle of a response/],
    ['closes at once', { kind: 'close', at: 'accept' }, 11, /ECONNRESET|closed the connection/],
    ['closes before the answer', { kind: 'close', at: 'headers' }, 11, /closed the connection without a response/],
    ['sends half a body', { kind: 'close', at: 'body' }, 11, /in the middle of a response/],
    ['stalls in the handshake', { kind: 'stall', at: 'accept' }, 11, /TLS handshake within 300 ms/],
    ['stalls after the first bytes', { kind: 'stall', at: 'tls' }, 11, /TLS handshake within 300 ms/],
    ['stalls before the answer', { kind: 'stall', at: 'headers' }, 11, /did not respond within 300 ms/],
    ['stalls in the answer', { kind: 'stall', at: 'body' }, 11, /did not respond within 300 ms/],
    ['answers 500', { kind: 'status', status: 500 }, 11, /\(500\)/],
    ['answers 503', { kind: 'status', status: 503 }, 11, /\(503\)/],
    ['answers 429', { kind: 'status', status: 429 }, 11, /too many requests .*\(429\)/],
    ['sends HTML', { kind: 'html' }, 11, /\(502\)/],
    ['sends HTML as 200', { kind: 'body', body: '<html>' }, 11, /is not JSON/],
    [
      'sends JSON of another shape',
      { kind: 'body', body: WRONG_SHAPE },
      11,
      /metadata: expected an object, got a list/,
    ],
    [
      'sends another pod',
      { kind: 'body', body: '{"metadata":{"namespace":"a","name":"b","uid":"c","resourceVersion":"1"},"spec":{}}' },
      11,
      /another pod, pod a\/b/,
    ],
    ['sends JSON nested 100,000 deep', { kind: 'body', body: '['.repeat(100_000) }, 11, /is not JSON|a list/],
    [
      'speaks another protocol',
      { kind: 'raw', bytes: 'SSH-2.0-OpenSSH_9.9\r\n' },
      11,
      /"SSH-2.0-OpenSSH_9.9", which is not HTTP\/1.1/,
    ],
    ['speaks HTTP/1.0', { kind: 'raw', bytes: 'HTTP/1.0 400 Bad Request\r\n\r\n' }, 11, /"HTTP\/1.0 400 Bad Request"/],
    [
      'redirects',
      { kind: 'status', status: 302, headers: { Location: 'https://evil.example/' } },
      100,
      /redirects to "https:\/\/evil.example\/" \(302\)/,
    ],
    ['knows no such path', { kind: 'status', status: 404 }, 100, /does not know the path .*\(404\)/],
    ['answers 418', { kind: 'status', status: 418 }, 100, /refused to get pod default\/web \(418\)/],
  ];
  for (const [why, fault, code, message] of cases) {
    it(`that ${why} is code ${code}, with server and reason, and without the words that containerd ignores`, async () => {
      await using loopback = await openLoopbackCluster({}, {}, SHORT);
      const { api, cluster, logged } = loopback;
      await api.setFault(fault);
      const error = await rejectionOf(cluster.readPod(WEB, soon()));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      expect(error.message).toContain(api.url);
      expect(error.message).toContain('get pod default/web');
      expectClean(error, logged);
    });
    it(`that ${why} once serves the next request`, async () => {
      await using loopback = await openLoopbackCluster({}, {}, SHORT);
      const { api, cluster } = loopback;
      await api.setFault(fault);
      await rejectionOf(cluster.readPod(WEB, soon()));
      await api.setFault(undefined);
      expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    });
  }
});

describe('an account that is not allowed', () => {
  const patch = (cluster: Cluster, deadline: Deadline) =>
    cluster.patchPodAnnotations(WEB, { uid: 'uid-1', annotations: {} }, deadline);
  const forbids: readonly (readonly [string, string, (cluster: Cluster, deadline: Deadline) => Promise<unknown>])[] = [
    ['get', 'pods', (cluster, deadline) => cluster.readPod(WEB, deadline)],
    ['get', 'nodes', (cluster, deadline) => cluster.readNode('n1', deadline)],
    ['patch', 'pods/status', patch],
  ];
  for (const [verb, resource, ask] of forbids) {
    it(`403 for ${verb} ${resource} names account, verb, resource and manifest`, async () => {
      await using loopback = await openLoopbackCluster();
      loopback.api.forbid({ verb, resource });
      const error = await rejectionOf(ask(loopback.cluster, soon()));
      expect(error.code).toBe(ERROR_CODE.apiRefused);
      expect(error.message).toContain(
        `"system:serviceaccount:kube-system:podwire" is not permitted to ${verb} ${resource} (403): apply cni-conf/rbac.yaml`,
      );
      expectClean(error, loopback.logged);
    });
  }
});

describe('403', () => {
  const explains = (who: string, words: string, message: RegExp, purpose: Purpose = PATCH) =>
    it(`${who}: ${words.slice(0, 40)}`, async () => {
      const connection = await readConnection(connectionSettings({ apiRoot: 'https://api.example' }), {});
      const body = Buffer.from(words === '' ? 'no' : JSON.stringify({ kind: 'Status', message: words, code: 403 }));
      const error = refusedRequestError(connection, purpose, { status: 403, headers: new Map(), body });
      expect(error.code).toBe(ERROR_CODE.apiRefused);
      expect(error.message).toMatch(message);
      if (!message.source.includes('rbac')) expect(error.message).not.toContain('rbac.yaml');
    });
  const PATCH = { verb: 'patch', resource: 'pods/status', object: 'pod default/web' } as const;
  const RBAC =
    /"u" is not permitted to patch pods\/status \(403\): grant it to this account, as cni-conf\/rbac.yaml does for the account podwire$/;
  const remedies: readonly (readonly [account: string, remedy: RegExp])[] = [
    ['podwire', /: apply cni-conf\/rbac.yaml, which grants it$/],
    ['podwire-installer', /: apply cni-conf\/rbac.yaml, which grants it$/],
    ['podwire-uninstall', /: apply cni-conf\/rendered\/uninstall.yaml, which grants it$/],
    ['calico-cni-plugin', /: restore the ClusterRole calico-cni-plugin of Calico, which grants it$/],
    ['other', /: grant it to this account, as cni-conf\/rbac.yaml does/],
  ];
  for (const [account, remedy] of remedies) {
    const user = `system:serviceaccount:kube-system:${account}`;
    explains(`RBAC for ${account}`, `nodes "n" is forbidden: User "${user}" cannot get resource "nodes"`, remedy);
  }
  explains(
    'RBAC for an account of another namespace',
    'nodes "n" is forbidden: User "system:serviceaccount:networking:podwire" cannot get resource "nodes"',
    /: grant it to this account, as cni-conf\/rbac.yaml does/,
  );
  explains(
    'RBAC for one object',
    'pods "web" is forbidden: User "u" cannot patch resource "pods/status" in API group "" in the namespace "default"',
    RBAC,
  );
  explains('RBAC for no object', 'pods is forbidden: User "u" cannot list resource "pods" in API group ""', RBAC);
  explains(
    'an authorizer with a reason',
    'pods "web" is forbidden: User "u" cannot patch resource "pods/status" in API group "": no relationship found',
    RBAC,
  );
  explains(
    'RBAC for the version',
    'forbidden: User "u" cannot get path "/version"',
    /"u" is not permitted to get \/version \(403\): bind the cluster role system:public-info-viewer/,
    { verb: 'get', resource: '/version', object: 'its version' },
  );
  explains(
    'a webhook',
    'admission webhook "policy.example" denied the request: no annotations today',
    /refused to patch pod default\/web \(403\): "admission webhook \\"policy.example\\" denied the request: no annotations today"$/,
  );
  explains(
    'a webhook that quotes RBAC',
    'admission webhook "w" denied the request: pods "web" is forbidden: User "u" cannot patch resource "pods"',
    /refused to patch pod default\/web \(403\): "admission webhook/,
  );
  explains(
    'a policy',
    `pods "web" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: own pods only`,
    /refused to patch pod default\/web \(403\): "pods .*ValidatingAdmissionPolicy 'p'.* own pods only"$/,
  );
  explains('a quota', 'pods "web" is forbidden: exceeded quota: q', /exceeded quota: q"$/);
  explains('a proxy', '', /refused to patch pod default\/web \(403\) without a reason; .*proxy/);
});

describe('401', () => {
  it.each([
    [
      'user "podwire" in the kubeconfig /etc/cni/net.d/podwire-kubeconfig',
      /"token" of this node's podwire pod should have/,
    ],
    [
      'user "calico" in the kubeconfig /etc/cni/net.d/calico-kubeconfig',
      /calico-node on this node should have renewed it/,
    ],
    ['the token file /path/token', /\/path\/token: put a new token there$/],
  ])('of a token from %s names who renews it', async (source, remedy) => {
    const connection = await readConnection(connectionSettings({ apiRoot: 'https://api.example' }), {});
    const response = { status: 401, headers: new Map<string, string>(), body: Buffer.from('') };
    const purpose = { verb: 'get', resource: 'pods', object: 'pod a/b' } as const;
    const error = refusedRequestError({ ...connection, token: makeSecret('a.b.c', source) }, purpose, response);
    expect(error.message).toMatch(remedy);
  });
});

describe('a failure', () => {
  const purpose = { verb: 'get', resource: 'pods', object: 'pod a/b' } as const;
  const reads = (why: string, cause: unknown, code: number, message: string) =>
    it(`${why} is code ${code}`, async () => {
      const connection = await readConnection(connectionSettings({ apiRoot: 'https://api.example' }), {});
      const error = failedRequestError(connection, purpose, cause);
      expect(error).toMatchObject({ code, message: `API server https://api.example ${message} (to get pod a/b)` });
    });
  const ofSystem = (code: string) => Object.assign(new Error('x'), { code });
  reads('of DNS', ofSystem('ENOTFOUND'), 11, 'cannot be reached: its name is unknown to DNS (ENOTFOUND)');
  reads(
    'of the network',
    ofSystem('ENETUNREACH'),
    11,
    'cannot be reached: there is no route to its network (ENETUNREACH)',
  );
  reads('without a name', new Error('x'), 11, 'cannot be reached (unknown error)');
  reads('that is not an Error', 5, 11, 'cannot be reached (unknown error)');
});

describe('a Status', () => {
  const statusOf = (body: string) => parseStatus({ status: 404, headers: new Map(), body: Buffer.from(body) });
  it('has reason, name and the fields that are wrong', () => {
    const body = {
      kind: 'Status',
      reason: 'Invalid',
      message: 'm',
      details: { name: 'n', causes: [{ field: 'metadata.uid' }] },
    };
    expect(statusOf(JSON.stringify(body))).toEqual({
      message: 'm',
      reason: 'Invalid',
      objectName: 'n',
      causeFields: ['metadata.uid'],
    });
  });
  it('of another kind is not one', () => expect(statusOf('{"kind":"Pod"}')).toBeUndefined());
  it('that is a page is not one', () => expect(statusOf('404 page')).toBeUndefined());
  it('with causes of another shape is not one', () =>
    expect(statusOf('{"kind":"Status","details":{"causes":[1]}}')).toBeUndefined());
});
