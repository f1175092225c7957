import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { putWeb, startLoopbackNode, WEB, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { Fault, FaultScope } from '../../lab/loopback-api/fault.ts';
import { recordFigure } from '../../support/suite/reliability-figure.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { useForAllTests } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
useForAllTests(async () => (node = await startLoopbackNode()));
useForAllTests(async () => (sandbox = await makeSandbox()));
beforeEach(async () => {
  await node.api.setFault(undefined);
  node.api.forbid(undefined);
  putWeb(node.api);
  before = await node.state();
});

async function addUnder(fault: Fault, scope: FaultScope = {}): Promise<EndedExecutable> {
  await node.api.setFault(fault, scope);
  const ended = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
  await node.api.setFault(undefined);
  return ended;
}

async function expectNothingLeft(): Promise<void> {
  expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  expect(await node.state()).toEqual(before);
}

const FAULTS: readonly (readonly [why: string, fault: Fault, cause: RegExp])[] = [
  ['reset after the request', { kind: 'reset', at: 'headers' }, /reset|closed/],
  ['stalled after the request', { kind: 'stall', at: 'headers' }, /did not respond within 2000 ms/],
  ['closed after the request', { kind: 'close', at: 'headers' }, /closed/],
  ['reset in the body', { kind: 'reset', at: 'body' }, /reset|closed/],
  ['stalled in the body', { kind: 'stall', at: 'body' }, /did not respond within 2000 ms/],
  ['closed in the body', { kind: 'close', at: 'body' }, /closed/],
  ['500', { kind: 'status', status: 500 }, /500/],
  ['503', { kind: 'status', status: 503 }, /503/],
  ['429', { kind: 'status', status: 429 }, /429/],
  ['503 with a Retry-After longer than the budget', { kind: 'status', status: 503, retryAfterSeconds: 600 }, /503/],
  ['HTML', { kind: 'html' }, /502/],
  ['no HTTP', { kind: 'raw', bytes: 'SSH-2.0-OpenSSH_9.2\r\n' }, /HTTP/],
  ['JSON of another shape', { kind: 'body', body: '{"kind":"List","items":[]}' }, /unexpected response/],
  ['a JSON string', { kind: 'body', body: '"pod"' }, /unexpected response/],
  ['text that is not JSON', { kind: 'body', body: 'pod' }, /not JSON/],
  [
    'another pod',
    { kind: 'body', body: '{"metadata":{"name":"other","namespace":"default","uid":"u"},"spec":{}}' },
    /unexpected response/,
  ],
  ['10 MB', { kind: 'body', body: `"${'a'.repeat(10 * 1024 * 1024)}"` }, /unexpected response|larger|more than/],
];
const CONNECTION_FAULTS: typeof FAULTS = [
  ['refused', { kind: 'refuse' }, /refuses connections/],
  ['reset when accepted', { kind: 'reset', at: 'accept' }, /reset|closed/],
  ['stalled when accepted', { kind: 'stall', at: 'accept' }, /TLS handshake within 2000 ms/],
  ['closed when accepted', { kind: 'close', at: 'accept' }, /reset|closed/],
  ['reset in TLS', { kind: 'reset', at: 'tls' }, /reset|closed/],
  ['stalled in TLS', { kind: 'stall', at: 'tls' }, /TLS handshake within 2000 ms/],
  ['closed in TLS', { kind: 'close', at: 'tls' }, /closed|reset/],
];

describe('ADD fails within 5 s with code 11, cause and server, and leaves nothing, when the API server', () => {
  const fails = async (name: string, fault: Fault, scope: FaultScope, cause: RegExp, { task }: TestContext) => {
    const { exitCode, answer, durationMs } = await addUnder(fault, scope);
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 11 });
    expect(answer?.['msg']).toContain(node.api.url);
    expect(answer?.['msg']).toMatch(cause);
    await expectNothingLeft();
    recordFigure(task, {
      fault: `the API server: ${name}, on ADD`,
      promise: 'ADD fails within 5 s with code 11, the cause and the server; nothing left',
      measured: `${(durationMs / 1000).toFixed(1)} s`,
    });
  };
  it.for(CONNECTION_FAULTS)('has the connection %s', ([name, fault, cause], context) =>
    expect(fails(`connection ${name}`, fault, {}, cause, context)).resolves.toBeUndefined(),
  );
  it.for(FAULTS)('answers the reads: %s', ([name, fault, cause], context) =>
    expect(fails(`reads ${name}`, fault, { method: 'GET' }, cause, context)).resolves.toBeUndefined(),
  );
  it.for(FAULTS)('answers the write: %s', ([name, fault, cause], context) =>
    expect(fails(`write ${name}`, fault, { method: 'PATCH', times: 1 }, cause, context)).resolves.toBeUndefined(),
  );
  it('stalls from the write on, so that the undo cannot reach it either', async () => {
    const { exitCode, answer } = await addUnder({ kind: 'stall', at: 'headers' }, { method: 'PATCH' });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 11 });
    await expectNothingLeft();
  });
});

describe('ADD repeats a request once', () => {
  const succeeds = async (fault: Fault, scope: FaultScope) => {
    expect(await addUnder(fault, scope)).toMatchObject({ exitCode: 0 });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    await expectNothingLeft();
  };
  it('after the Retry-After of a 429', () =>
    expect(
      succeeds({ kind: 'status', status: 429, retryAfterSeconds: 1 }, { times: 1, method: 'PATCH' }),
    ).resolves.toBeUndefined());
  it('after the Retry-After of a 503', () =>
    expect(
      succeeds({ kind: 'status', status: 503, retryAfterSeconds: 1 }, { times: 1, path: '/nodes/' }),
    ).resolves.toBeUndefined());
  it('when each answer ends its connection', () =>
    expect(succeeds({ kind: 'last-answer' }, {})).resolves.toBeUndefined());
});

describe('ADD fails and leaves nothing, with a message that says what to do, when the API server', () => {
  const fails = async (code: number, message: RegExp) => {
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code });
    expect(answer?.['msg']).toMatch(message);
    expect(JSON.stringify(answer)).not.toMatch(/not found/i);
    await expectNothingLeft();
  };
  it('refuses the token', async () => {
    await node.api.setFault({ kind: 'status', status: 401 });
    await expect(
      fails(100, /the token was refused \(401\): .*kubeconfig.*expires at 2100-01-01.*put a new token there/),
    ).resolves.toBeUndefined();
  });
  it.each([
    ['get', 'nodes'],
    ['patch', 'pods/status'],
  ])('forbids to %s %s', async (verb, resource) => {
    node.api.forbid({ verb, resource });
    await expect(
      fails(
        100,
        new RegExp(
          `"system:serviceaccount:kube-system:podwire" is not permitted to ${verb} ${resource} \\(403\\): apply cni-conf/rbac\\.yaml`,
        ),
      ),
    ).resolves.toBeUndefined();
  });
  it('has no such pod', async () => {
    node.api.deletePod(WEB.namespace, WEB.name);
    before = await node.state();
    await expect(fails(100, /has no pod default\/web/)).resolves.toBeUndefined();
  });
  it('has another pod of that name', async () => {
    putWeb(node.api, 'web-uid-2');
    before = await node.state();
    await expect(
      fails(100, /has another pod default\/web; the one of this sandbox was replaced/),
    ).resolves.toBeUndefined();
  });
  it('answers the write with 409', async () => {
    await node.api.setFault({ kind: 'status', status: 409 }, { method: 'PATCH' });
    await expect(fails(100, /the pod default\/web was deleted or replaced during its ADD/)).resolves.toBeUndefined();
  });
  it('answers 404 for something other than the pod', async () => {
    await node.api.setFault({ kind: 'status', status: 404 }, { path: '/pods/', times: 1 });
    await expect(
      fails(100, /does not know the path to patch pod default\/web \(404\): check the server's URL/),
    ).resolves.toBeUndefined();
  });
});

it('a token that was renewed is read again after 401', async () => {
  await node.api.setFault({ kind: 'status', status: 401 }, { times: 1 });
  expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
  await expectNothingLeft();
});
