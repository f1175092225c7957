import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { observeRenewer } from '../../../src/cli/observe/observe-renewer.ts';
import { soon } from '../../cluster/loopback-cluster.ts';
import { startLoopbackClient, type LoopbackClient } from '../../cluster/loopback-client.ts';

let api: LoopbackClient;
let paths: string[] = [];
let pods: readonly object[] = [];
let log: string | undefined;
beforeAll(async () => {
  api = await startLoopbackClient((request, response) => {
    const { url = '' } = request;
    paths.push(decodeURIComponent(url));
    if (!url.includes('/log?')) response.end(JSON.stringify({ items: pods }));
    else if (log === undefined) response.writeHead(403).end('{}');
    else response.end(log);
  });
});
beforeEach(() => {
  paths = [];
  log = 'WARN the service account does not exist\n';
});
afterAll(() => api[Symbol.asyncDispose]());

const observe = () => api.ask((client, deadline) => observeRenewer(client, 'node-1', deadline));

const pod = (status: object, container = 'token') => ({
  metadata: { name: 'podwire-7xk2f' },
  spec: { containers: [{ name: container }] },
  status,
});
const waiting = { name: 'token', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } };

it('reads the state of the container and its last line, of this node only', async () => {
  pods = [pod({ phase: 'Running', containerStatuses: [waiting] })];
  expect(await observe()).toEqual({
    kind: 'seen',
    value: {
      pod: 'podwire-7xk2f',
      state: 'CrashLoopBackOff',
      isReady: false,
      restartCount: 3,
      lastLine: 'WARN the service account does not exist',
    },
  });
  expect(paths).toEqual([
    '/api/v1/namespaces/kube-system/pods?labelSelector=app.kubernetes.io/name=podwire&fieldSelector=spec.nodeName=node-1',
    '/api/v1/namespaces/kube-system/pods/podwire-7xk2f/log?container=token&tailLines=1&limitBytes=4096',
  ]);
});

it('a container that runs, whose log these credentials are not permitted to read', async () => {
  log = undefined;
  pods = [pod({ phase: 'Running', containerStatuses: [{ name: 'token', ready: true, restartCount: 0, state: {} }] })];
  expect(await observe()).toEqual({
    kind: 'seen',
    value: { pod: 'podwire-7xk2f', state: 'Running', isReady: true, restartCount: 0, lastLine: undefined },
  });
});

it('no pod, and a pod without a renewer', async () => {
  pods = [];
  expect(await observe()).toEqual({ kind: 'seen', value: 'absent' });
  pods = [pod({}, 'other')];
  expect(await observe()).toEqual({ kind: 'seen', value: 'absent' });
});

it('without credentials, and with an unexpected answer', async () => {
  using deadline = soon();
  expect(await observeRenewer(undefined, 'node-1', deadline)).toMatchObject({ kind: 'unseen' });
  pods = [{ spec: { containers: [{ name: 'token' }] } }];
  expect(await observe()).toMatchObject({ kind: 'unseen' });
});
