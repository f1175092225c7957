import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, describe, it } from 'vitest';
import type { Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

const instead = (make: (path: string) => void) => (path: string) => {
  rmSync(path);
  make(path);
};
const DAMAGES: readonly (readonly [string, (path: string) => void])[] = [
  ['empty', (path) => writeFileSync(path, '')],
  ['cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
  ['of a later format', (path) => writeFileSync(path, '{"format":99,"stage":"attached"}')],
  ['10 MB', (path) => appendFileSync(path, ' '.repeat(10_000_000))],
  ['without permissions', (path) => chmodSync(path, 0)],
  ['of another user', (path) => chownSync(path, 1, 1)],
  ['a folder', instead((path) => mkdirSync(join(path, 'inner'), { recursive: true }))],
  ['a link', instead((path) => symlinkSync('/etc/hostname', path))],
  ['a link that leads nowhere', instead((path) => symlinkSync('/run/none', path))],
  ['a FIFO', instead((path) => void execFileSync('mkfifo', [path]))],
];

/** Attaches the pod and damages its record. */
async function attach(damage: (path: string) => void): Promise<void> {
  expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
  damage(join(node.journal, 'c1@eth0.record.json'));
}

describe('a record that is damaged', () => {
  it.each(DAMAGES)('(%s): DEL leaves nothing', async (_, damage) => {
    await attach(damage);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.state()).toEqual(before);
  });

  it.each(DAMAGES)('(%s): DEL without a sandbox and a pod leaves nothing', async (_, damage) => {
    await attach(damage);
    expect(await node.run({ verb: 'DEL', environment: { CNI_ARGS: undefined } })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });

  it.each(DAMAGES)('(%s): GC leaves nothing', async (_, damage) => {
    await attach(damage);
    const config = node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] });
    expect(await node.run({ verb: 'GC', config })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });

  // Root can read it: it is not damaged, and the runtime must send DEL first.
  const unreadable = DAMAGES.filter(([what]) => what !== 'without permissions');
  it.each(unreadable)('(%s): ADD succeeds, and its DEL leaves nothing', async (_, damage) => {
    await attach(damage);
    const call = { sandboxPath: sandbox.path };
    expect(await node.run({ verb: 'ADD', ...call })).toMatchObject({ exitCode: 0 });
    expect(await node.leases()).toHaveLength(2);
    expect(await node.run({ verb: 'DEL', ...call })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});
