import { describe, expect, it } from 'vitest';
import { makeGatedDelegate } from '../../support/delegates/gated-delegate.ts';
import { hostNamespace, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { putWeb, WEB, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import { pauseAtPolicy, pauseAtRequest, pauseInDelegate, type Pause } from '../../support/nodes/paused-add.ts';
import { until } from '../../lab/until.ts';
import type { NodeCall } from '../../support/nodes/test-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

async function expectNothingLeft(): Promise<void> {
  expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  expect(await node.state()).toEqual(before);
}

describe('an ADD that gets a signal undoes everything at once, while it', () => {
  const MOMENTS: readonly (readonly [string, Pause])[] = [
    ['asks for the node', pauseAtRequest('GET', '/nodes/')],
    ['waits for a delegate that has allocated nothing', pauseInDelegate('before')],
    ['waits for a delegate that has allocated', pauseInDelegate('after')],
    ['writes the endpoint', pauseAtRequest('PATCH', '/pods/')],
    ['writes the endpoint, which the server has', pauseAtRequest('PATCH', '/pods/', 'body')],
    ['waits for the policy', pauseAtPolicy],
  ];
  it.each(MOMENTS)('%s (SIGTERM)', async (_, moment) => {
    const { running } = await moment(node, sandbox.path);
    running.process.kill('SIGTERM');
    const { exitCode, signal, answer } = await running.ended;
    expect({ exitCode, signal, code: answer?.['code'] }).toEqual({ exitCode: 1, signal: null, code: 11 });
    await expectNothingLeft();
  });

  it.each(['SIGINT', 'SIGHUP'] as const)('waits for a delegate that has allocated (%s)', async (name) => {
    const { running } = await pauseInDelegate('after')(node, sandbox.path);
    running.process.kill(name);
    expect(await running.ended).toMatchObject({ exitCode: 1, signal: null, answer: { code: 11 } });
    await expectNothingLeft();
  });

  it('writes the endpoint, also with a second signal during the undo', async () => {
    const { running } = await pauseAtRequest('PATCH', '/pods/')(node, sandbox.path);
    await node.api.setFault({ kind: 'stall', at: 'headers' });
    const earlier = node.api.requests.length;
    running.process.kill('SIGTERM');
    await until('the undo asks for the pod', () => node.api.requests.length > earlier);
    running.process.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ exitCode: 1, signal: null, answer: { code: 11 } });
    // The endpoint could not be checked. A record notes this, and the next DEL clears it.
    await node.api.setFault(undefined);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    await expectNothingLeft();
  });
});

describe('stdout without a reader', () => {
  const closed = (verb: string, overrides: Partial<NodeCall> = {}) => {
    const running = node.start({ verb, sandboxPath: sandbox.path, ...overrides });
    running.process.stdout.destroy();
    return running.ended;
  };
  it('ADD is undone, and its exit status is not 0', async () => {
    expect(await closed('ADD')).toMatchObject({ exitCode: 1, signal: null });
    await expectNothingLeft();
  });
  it('DEL continues', async () => {
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    expect(await closed('DEL')).toMatchObject({ exitCode: 0, signal: null });
    await expectNothingLeft();
  });
  it('an error is reported by the exit status alone', async () => {
    expect(await closed('ADD', { config: '{' })).toMatchObject({ exitCode: 1, signal: null });
  });
  it('ADD and DEL continue without stderr, also with a lot of output for it', async () => {
    for (const verb of ['ADD', 'DEL']) {
      const running = node.start({ verb, sandboxPath: sandbox.path, config: node.netconf({ log_level: 'debug' }) });
      running.process.stderr.destroy();
      expect(await running.ended).toMatchObject({ exitCode: 0, signal: null });
    }
    await expectNothingLeft();
  });
});

describe('between two steps of ADD', () => {
  const whileInDelegate = async (change: () => void | Promise<void>) => {
    using gate = await makeGatedDelegate(node.folder, node.pluginPath, 'after');
    const running = node.start({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: gate.folder });
    await gate.arrived;
    await change();
    gate.release();
    return await running.ended; // the gate stays open until then
  };
  it('the pod is deleted: ADD fails, nothing left', async () => {
    const { exitCode, answer } = await whileInDelegate(() => node.api.deletePod(WEB.namespace, WEB.name));
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 100 });
    putWeb(node.api);
    await expectNothingLeft();
  });
  it('the pod is replaced: ADD fails, nothing of it on the new one', async () => {
    const { exitCode, answer } = await whileInDelegate(() => putWeb(node.api, 'web-uid-2'));
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 100 });
    await expectNothingLeft();
  });
  it('the sandbox is removed: whatever ADD says, the DEL after it leaves nothing', async () => {
    await whileInDelegate(() => sandbox.remove());
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    await until(
      'the kernel has deleted the links',
      async () => JSON.stringify((await node.state())['links']) === JSON.stringify(before['links']),
    );
    expect(await node.state()).toEqual(before);
  });
  it('an interface of that name appears in the sandbox: ADD fails, and this one stays', async () => {
    const { exitCode } = await whileInDelegate(async () => {
      await sandbox.exec('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'foreign');
    });
    expect(exitCode).toBe(1);
    expect(await node.state()).toEqual(before);
    expect(await sandbox.ip('link', 'show', 'dev', 'eth0')).toMatchObject([{ ifname: 'eth0' }]);
  });
  it('an interface of that name appears, the endpoint written and the server’s answer still to come: nothing of it stays', async () => {
    await node.api.setFault({ kind: 'stall', at: 'body' }, { method: 'PATCH', times: 1 });
    const { answer } = await whileInDelegate(async () => {
      await sandbox.exec('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'foreign');
    });
    expect(answer?.['msg']).toMatch(/eth0/);
    expect(node.api.requests.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(0);
    expect(await node.state()).toEqual(before);
  });
  it('a host interface of that name appears: ADD fails, and this one stays', async () => {
    const { exitCode } = await whileInDelegate(async () => {
      await hostNamespace().exec('ip', 'link', 'add', 'cali68caf03a5f4', 'type', 'bridge');
    });
    expect(exitCode).toBe(1);
    await hostNamespace().exec('ip', 'link', 'delete', 'cali68caf03a5f4');
    await expectNothingLeft();
  });
});
