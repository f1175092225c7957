import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostNamespace, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** What keeps a network namespace although the runtime has removed its path. */
const KEEPERS: readonly (readonly [string, () => Promise<() => Promise<unknown>>])[] = [
  [
    'a process',
    async () => {
      const child = spawn('nsenter', [`--net=${sandbox.path}`, 'sh', '-c', 'echo here; exec cat'], { stdio: 'pipe' });
      await once(child.stdout, 'data');
      return () => {
        child.stdin.end();
        return once(child, 'exit');
      };
    },
  ],
  [
    'a bind mount',
    async () => {
      const path = join(node.folder, 'kept');
      writeFileSync(path, '');
      await hostNamespace().exec('mount', '--bind', sandbox.path, path);
      return () => hostNamespace().exec('umount', path);
    },
  ],
];
const REQUESTS = [
  ['its path', () => ({ sandboxPath: sandbox.path })],
  ['no path', () => ({})],
  ['no path, no record', () => ({})],
  ['no path, no record and no pod', () => ({ environment: { CNI_ARGS: undefined } })],
] as const;
const CASES = KEEPERS.flatMap(([keeper, keep]) =>
  REQUESTS.map(([request, call]) => [keeper, request, keep, call] as const),
);

describe('a sandbox that outlives its path', () => {
  it.each(CASES)('because of %s: DEL with %s leaves nothing on the node', async (_, request, keep, call) => {
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    const release = await keep();
    await sandbox.remove();
    if (request.includes('no record')) rmSync(join(node.journal, 'c1@eth0.record.json'));
    expect(await node.run({ verb: 'DEL', ...call() })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.state()).toEqual(before);
    await release();
  });
});
