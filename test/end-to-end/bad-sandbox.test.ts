import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { putWeb, startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import type { NodeState } from '../support/nodes/node-state.ts';

let node: LoopbackNode;
let before: NodeState;
let paths: Readonly<Record<Place, string>>;
beforeAll(async () => {
  node = await startLoopbackNode();
  const at = (name: string) => join(node.folder, name);
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
  execFileSync('mkfifo', [at('fifo')]);
  symlinkSync(at('loop'), at('loop'));
  paths = {
    'nothing is there': at('missing'),
    'a plain file is there': at('file'),
    'a part of it is a file': at('file/net'),
    'a FIFO is there': at('fifo'),
    'a folder is there': at('folder'),
    'a link leads in a circle': at('loop'),
    'a namespace of another kind is there': '/proc/self/ns/uts',
    'a device that blocks is there': '/dev/tty',
    'it has 10,000 characters': `/${'a'.repeat(10_000)}`,
    'it has a line break and an escape': at('\n\u001b[2J'),
  };
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  putWeb(node.api);
  before = await node.state();
  return () => node.run({ verb: 'DEL' }); // what a failed test has left must not affect the next test
});

const PLACES = [
  'nothing is there',
  'a plain file is there',
  'a part of it is a file',
  'a FIFO is there',
  'a folder is there',
  'a link leads in a circle',
  'a namespace of another kind is there',
  'a device that blocks is there',
  'it has 10,000 characters',
  'it has a line break and an escape',
] as const;
type Place = (typeof PLACES)[number];

describe('CNI_NETNS that leads to no network namespace', () => {
  it.each(PLACES)('%s: code 8 on ADD, nothing touched', async (place) => {
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: paths[place] });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 8 });
    expect(answer?.['msg']).toMatch(/^CNI_NETNS "[^"]*" is not a network namespace/);
    expect(JSON.stringify(answer)).not.toMatch(/not found/i);
    expect(await node.state()).toEqual(before);
  });

  it.each(PLACES)('%s: DEL succeeds and releases', async (place) => {
    await using sandbox = await makeSandbox();
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await node.leases()).toHaveLength(2);
    const config = node.netconf({ budgets: { delegate_ms: 2000 } });
    expect(await node.run({ verb: 'DEL', sandboxPath: paths[place], config })).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
    expect(await node.state()).toEqual(before);
  });
});

describe("the node's own network namespace", () => {
  const OWN = '/proc/self/ns/net';

  it('fails ADD with code 8', async () => {
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: OWN, interfaceName: 'uplink' });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 8 });
    expect(answer?.['msg']).toMatch(/is the network namespace of the node itself; set CNI_NETNS_OVERRIDE=1/);
    expect(await node.state()).toEqual(before);
  });

  it('is a removed sandbox for DEL, which warns and touches nothing in it', async () => {
    const { exitCode, stderr } = await node.run({ verb: 'DEL', sandboxPath: OWN, interfaceName: 'uplink' });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/WARNING .* is the network namespace of the node itself: the sandbox is gone/),
    });
    expect(await node.state()).toEqual(before);
  });

  it('is attached if CNI_NETNS_OVERRIDE permits it, and the default route of the node keeps its priority', async () => {
    const call = { sandboxPath: OWN, interfaceName: 'inside', environment: { CNI_NETNS_OVERRIDE: 'true' } };
    const target = () => execFileSync('ip', ['route', 'get', '203.0.113.1'], { encoding: 'utf8' });
    const route = target();
    expect(await node.run({ verb: 'ADD', ...call })).toMatchObject({ exitCode: 0 });
    expect(target()).toBe(route);
    expect(await node.run({ verb: 'DEL', ...call })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});
