import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeGatedDelegate } from '../../support/delegates/gated-delegate.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { NODE_NAME, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import { pauseAtRequest } from '../../support/nodes/paused-add.ts';
import { EXECUTABLE } from '../../lab/run-executable.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

describe('two ADDs of one attachment at once', () => {
  it.each(['before', 'after'] as const)(
    'one wins and has its lease, the other fails clean (the second begins %s the first has an address)',
    async (moment) => {
      using gate = await makeGatedDelegate(node.folder, node.pluginPath, moment);
      const call = { verb: 'ADD', sandboxPath: sandbox.path, pluginPath: gate.folder };
      const first = node.start(call);
      await gate.arrived;
      const second = node.start(call);
      const early = await Promise.race([second.ended, first.ended.then(() => undefined)].concat(heldUp(second.ended)));
      gate.release();
      const ended = [await first.ended, early ?? (await second.ended)];
      expect(ended.map(({ exitCode }) => `${exitCode}`).toSorted()).toEqual(['0', '1']);
      const winner = ended.find(({ exitCode }) => exitCode === 0);
      const addresses = [...JSON.stringify(winner?.answer?.['ips']).matchAll(/"address":"([^/"]+)/g)].map(
        ([, text = '']) => text,
      );
      expect((await node.leases()).map((lease) => lease.split(/[/ ]/)[1] ?? '').toSorted()).toEqual(
        addresses.toSorted(),
      );
      expect(await sandbox.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
      expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
      expect(await node.state()).toEqual(before);
    },
  );
});

// A plugin may make the second wait for the first. Then it ends after the gate has opened.
const HELD_UP_MS = 3000;
function heldUp<Value>(ended: Promise<Value>): Promise<undefined> {
  return Promise.race([
    ended.then(() => undefined),
    new Promise<undefined>((resolve) =>
      AbortSignal.timeout(HELD_UP_MS).addEventListener('abort', () => resolve(undefined)),
    ),
  ]);
}

describe('ADD and DEL of one attachment crossing', () => {
  const MOMENTS = ['before', 'after'] as const;
  const FINISHES = ['DEL', 'GC', 'ADD, then DEL'] as const;
  const CASES = MOMENTS.flatMap((moment) => FINISHES.map((finish) => [moment, finish] as const));
  it.each(CASES)(
    'leave nothing if the ADD is then killed %s its IPAM plugin has allocated, after %s',
    async (moment, finish) => {
      using gate = await makeGatedDelegate(node.folder, node.pluginPath, moment);
      const added = node.start({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: gate.folder });
      await gate.arrived;
      expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
      added.process.kill('SIGKILL');
      await added.ended;
      if (finish === 'GC') {
        const config = node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] });
        expect(await node.run({ verb: 'GC', config })).toMatchObject({ exitCode: 0 });
      } else {
        for (const verb of finish.split(', then ')) {
          expect(await node.run({ verb, sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
        }
      }
      gate.release();
      expect(await sandbox.ip('link', 'show')).toHaveLength(1);
      expect(await node.state()).toEqual(before);
    },
  );

  it.each(['before', 'after'] as const)(
    'leave nothing attached (DEL comes %s the ADD has its address)',
    async (moment) => {
      using gate = await makeGatedDelegate(node.folder, node.pluginPath, moment);
      const added = node.start({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: gate.folder });
      await gate.arrived;
      const deleted = node.start({ verb: 'DEL', sandboxPath: sandbox.path });
      await heldUp(deleted.ended);
      gate.release();
      await added.ended;
      expect(await deleted.ended).toMatchObject({ exitCode: 0 });
      expect(await sandbox.ip('link', 'show')).toHaveLength(1);
      expect(await node.state()).toEqual(before);
    },
  );

  it.each([
    ['before the API server has it', 'headers'],
    ['after the API server has it', 'body'],
  ] as const)('end torn down (DEL comes while the ADD writes the endpoint, %s)', async (_, at) => {
    const added = (await pauseAtRequest('PATCH', '/pods/', at)(node, sandbox.path)).running;
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await added.ended).toMatchObject({ exitCode: 1, signal: null });
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await node.state()).toEqual(before);
  });

  it('do not damage another container of the pod', async () => {
    using gate = await makeGatedDelegate(node.folder, node.pluginPath, 'after');
    await using later = await makeSandbox();
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path, containerId: 'old' })).toMatchObject({
      exitCode: 0,
    });
    const added = node.start({ verb: 'ADD', sandboxPath: later.path, pluginPath: gate.folder });
    await gate.arrived;
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path, containerId: 'old' })).toMatchObject({
      exitCode: 0,
    });
    gate.release();
    expect(await added.ended).toMatchObject({ exitCode: 0 });
    expect(await node.leases()).toHaveLength(2);
    expect(await later.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
    expect(await node.run({ verb: 'DEL', sandboxPath: later.path })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});

describe('the executable', () => {
  it('can be replaced while it runs 50 times', async () => {
    const executable = join(node.folder, 'podwire');
    copyFileSync(EXECUTABLE, executable);
    await using stack = new AsyncDisposableStack();
    const pods = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const name = `pod-${index}`;
        node.api.putPod({ metadata: { namespace: 'default', name, uid: name }, spec: { nodeName: NODE_NAME } });
        const own = stack.use(await makeSandbox());
        return { sandboxPath: own.path, containerId: `c-${index}`, pod: { namespace: 'default', name, uid: name } };
      }),
    );
    for (const verb of ['ADD', 'DEL']) {
      // The budgets are for one ADD at a time; 50 at once wait for two cores.
      const config = node.netconf({
        budgets: { api_connect_ms: 20_000, api_request_ms: 20_000, add_api_ms: 25_000, del_api_ms: 25_000 },
      });
      const half = pods.slice(0, 25).map((pod) => node.run({ verb, config, executable, ...pod }));
      copyFileSync(EXECUTABLE, `${executable}.new`);
      renameSync(`${executable}.new`, executable);
      const rest = pods.slice(25).map((pod) => node.run({ verb, config, executable, ...pod }));
      const ended = await Promise.all([...half, ...rest]);
      expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
    }
    expect(await node.state()).toEqual(before);
  });
});
