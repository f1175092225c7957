import { describe, expect, it } from 'vitest';
import type { LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { pauseAtPolicy, pauseAtRequest, pauseInDelegate, type Pause } from '../../support/nodes/paused-add.ts';
import { until } from '../../lab/until.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** Kills an ADD. Its delegate is not killed and runs to its end. */
async function killAdd(pause: Pause, leasesAfter: number | 'any'): Promise<void> {
  const { running, release } = await pause(node, sandbox.path);
  running.process.kill('SIGKILL');
  release();
  await running.ended;
  if (leasesAfter !== 'any') {
    await until('the delegate has ended', async () => (await node.leases()).length === leasesAfter);
  }
  await node.api.setFault(undefined);
}

const MOMENTS: readonly (readonly [string, Pause, number | 'any'])[] = [
  // Meanwhile its delegate allocates, from the podCIDRs of the ADD before.
  ['asked for the node', pauseAtRequest('GET', '/nodes/'), 'any'],
  ['waited for its delegate', pauseInDelegate('before'), 2],
  ['had an address', pauseInDelegate('after'), 2],
  ['wrote the endpoint', pauseAtRequest('PATCH', '/pods/'), 2],
  ['had written the endpoint', pauseAtRequest('PATCH', '/pods/', 'body'), 2],
  ['waited for the policy', pauseAtPolicy, 2],
];

describe('an ADD that was killed (SIGKILL) while it', () => {
  it.each(MOMENTS)('%s: a DEL that knows the sandbox leaves nothing', async (_, pause, leases) => {
    await killAdd(pause, leases);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await node.state()).toEqual(before);
  });

  it.each(MOMENTS)('%s: a DEL without prevResult, netns and pod leaves nothing', async (_, pause, leases) => {
    await killAdd(pause, leases);
    const ended = await node.run({ verb: 'DEL', environment: { CNI_ARGS: '' } });
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await node.state()).toEqual(before);
  });

  it.each(MOMENTS)('%s: the ADD that the runtime repeats succeeds', async (_, pause, leases) => {
    await killAdd(pause, leases);
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    expect(await node.leases()).toHaveLength(2);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await node.state()).toEqual(before);
  });

  it.each(MOMENTS)('%s: GC with no valid attachments leaves nothing', async (_, pause, leases) => {
    await killAdd(pause, leases);
    const config = node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] });
    expect(await node.run({ verb: 'GC', config })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await node.state()).toEqual(before);
  });
});
