import { beforeEach, describe, expect, it } from 'vitest';
import { hostNamespace, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { WEB, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { Fault } from '../../lab/loopback-api/fault.ts';
import { recordFigure } from '../../support/suite/reliability-figure.ts';
import { ANNOTATION } from '../../support/nodes/node-state.ts';
import type { NodeCall } from '../../support/nodes/test-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));
beforeEach(() => succeed({ verb: 'ADD', sandboxPath: sandbox.path }));

async function succeed(call: NodeCall): Promise<void> {
  expect(await node.run(call)).toMatchObject({ exitCode: 0 });
}

async function expectNodeClean(): Promise<void> {
  const { links, routes, leases } = await node.state();
  expect({ links, routes, leases }).toEqual({
    links: before['links'],
    routes: before['routes'],
    leases: before['leases'],
  });
}

describe('link and lease are removed and DEL succeeds within 2 s, when the API server', () => {
  const FAULTS: readonly (readonly [string, Fault])[] = [
    ['refuses', { kind: 'refuse' }],
    ['resets', { kind: 'reset', at: 'accept' }],
    ['stalls when accepted', { kind: 'stall', at: 'accept' }],
    ['stalls in TLS', { kind: 'stall', at: 'tls' }],
    ['stalls after the request', { kind: 'stall', at: 'headers' }],
    ['stalls in the body', { kind: 'stall', at: 'body' }],
    ['answers half a body', { kind: 'close', at: 'body' }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 503 with a long Retry-After', { kind: 'status', status: 503, retryAfterSeconds: 600 }],
    ['answers 401', { kind: 'status', status: 401 }],
    ['answers 403', { kind: 'status', status: 403 }],
    ['answers HTML', { kind: 'html' }],
    ['answers JSON of another shape', { kind: 'body', body: '[]' }],
  ];
  it.for(FAULTS)('%s', async ([name, fault], { task }) => {
    await node.api.setFault(fault);
    const { exitCode, stdout, stderr, durationMs } = await node.run({ verb: 'DEL', sandboxPath: sandbox.path });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toMatch(/WARNING the node is clean; a later command clears the endpoint of pod default\/web: /);
    await expectNodeClean();
    recordFigure(task, {
      fault: `the API server ${name}, on DEL`,
      promise: 'link and lease go, DEL succeeds within 2 s, the endpoint is cleared later',
      measured: `${(durationMs / 1000).toFixed(1)} s`,
    });
    await node.api.setFault(undefined);
    expect(await node.run({ verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.state()).toEqual(before);
  });

  it('changes the Pod between each read and write', async () => {
    await node.api.setFault({ kind: 'status', status: 409 }, { method: 'PATCH' });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    await expectNodeClean();
  });
  it('no longer has the pod', async () => {
    node.api.deletePod(WEB.namespace, WEB.name);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    await expectNodeClean();
  });
});

describe('DEL succeeds and leaves nothing', () => {
  const succeeds = (why: string, prepare: () => Promise<Parameters<LoopbackNode['run']>[0]>) =>
    it(why, async () => {
      expect(await node.run(await prepare())).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await node.state()).toEqual(before);
    });
  const DEL = { verb: 'DEL' };
  succeeds('repeated', async () => {
    await node.run({ ...DEL, sandboxPath: sandbox.path });
    return { ...DEL, sandboxPath: sandbox.path };
  });
  succeeds('with the sandbox gone', async () => {
    await sandbox.remove();
    return { ...DEL, sandboxPath: sandbox.path };
  });
  succeeds('with CNI_NETNS empty, the sandbox still there', async () => DEL);
  succeeds('with the host interface deleted by another program', async () => {
    await hostNamespace().exec('ip', 'link', 'delete', 'cali68caf03a5f4');
    return { ...DEL, sandboxPath: sandbox.path };
  });
  succeeds('with prevResult garbage', async () => ({
    ...DEL,
    config: node.netconf({ prevResult: { interfaces: 'none', ips: [{}] } }),
  }));
  succeeds('with prevResult a string', async () => ({ ...DEL, config: node.netconf({ prevResult: 'none' }) }));
  succeeds('with a prevResult that names interfaces of the node', async () => ({
    ...DEL,
    config: node.netconf({
      prevResult: { cniVersion: '1.0.0', interfaces: [{ name: 'uplink' }, { name: 'lo' }], ips: [] },
    }),
  }));
  succeeds('with the kubeconfig unusable, then usable', async () => {
    const config = node.netconf({ kubernetes: { kubeconfig: '/dev/null' } });
    await succeed({ ...DEL, config });
    return DEL;
  });
  succeeds('with CNI_ARGS that cannot be read, then with those of the pod', async () => {
    await succeed({ ...DEL, sandboxPath: sandbox.path, environment: { CNI_ARGS: ';;' } });
    return DEL;
  });
  succeeds('with a key of the wrong type', async () => ({ ...DEL, config: node.netconf({ mtu: 'x', dns: 5 }) }));
});

describe('the endpoint', () => {
  const annotated = (containerId: string) => ({
    metadata: {
      ...WEB,
      uid: 'web-uid-1',
      annotations: {
        [`${ANNOTATION}containerID`]: containerId,
        [`${ANNOTATION}podIP`]: '10.9.9.9/32',
        [`${ANNOTATION}podIPs`]: '10.9.9.9/32',
      },
    },
    spec: { nodeName: 'fault-node' },
  });
  it('of another container of the pod is never cleared', async () => {
    node.api.putPod(annotated('c2'));
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(node.api.pod('default', 'web')?.metadata.annotations).toEqual(annotated('c2').metadata.annotations);
    await expectNodeClean();
  });
  it('of a later pod of that name is never cleared', async () => {
    const later = annotated('c1');
    node.api.putPod({ ...later, metadata: { ...later.metadata, uid: 'web-uid-2' } });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(node.api.pod('default', 'web')?.metadata.annotations).toEqual(later.metadata.annotations);
    await expectNodeClean();
  });
});
