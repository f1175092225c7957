import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

let node: CommandNode;
let sandbox: Sandbox;
let before: readonly string[];
let result: JsonObject;
beforeAll(async () => {
  node = await startCommandNode(3);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  await node.api.setFault(undefined);
  node.putPod();
  sandbox = await makeSandbox();
  before = await node.state();
  result = await node.succeed(call('ADD'));
  return () => sandbox[Symbol.asyncDispose]();
});

const call = (verb: 'ADD' | 'DEL', overrides: Partial<CommandCall> = {}): CommandCall => ({
  verb,
  sandboxPath: sandbox.path,
  ...overrides,
});

/**
 * Runs a DEL, which must succeed, and returns the state of the node. The kernel deletes a link a moment after its
 * sandbox.
 */
async function detached(overrides: Partial<CommandCall> = {}): Promise<readonly string[]> {
  await node.succeed(call('DEL', overrides));
  await node.untilState(before);
  return node.state();
}

describe('DEL', () => {
  it('leaves nothing, and nothing in the sandbox', async () => {
    expect(await detached()).toEqual(before);
    expect(await sandbox.ip('link', 'show', 'type', 'veth')).toEqual([]);
  });
  it('prints nothing', async () => expect((await node.run(call('DEL'))).outputs).toEqual([]));
  it('succeeds when repeated', async () => {
    expect(await detached()).toEqual(before);
    expect(await detached()).toEqual(before);
  });
  it('with the sandbox gone leaves nothing', async () => {
    await sandbox.remove();
    expect(await detached()).toEqual(before);
  });
  it('without CNI_NETNS leaves nothing', async () => expect(await detached({ sandboxPath: '' })).toEqual(before));
  it('with prevResult leaves nothing', async () =>
    expect(await detached({ settings: { prevResult: result } })).toEqual(before));
  it('without CNI_ARGS takes the pod from the record', async () =>
    expect(await detached({ pod: 'none' })).toEqual(before));
  it('with a deleted pod leaves nothing', async () => {
    node.api.deletePod('default', 'web');
    await node.succeed(call('DEL'));
    node.putPod();
    expect(await node.state()).toEqual(before);
  });
  it('without a record leaves nothing', async () => {
    rmSync(node.record());
    expect(await detached()).toEqual(before);
  });
  it('with a damaged record leaves nothing', async () => {
    writeFileSync(node.record(), '{"format":1,');
    expect(await detached()).toEqual(before);
  });
  it('releases the lease although the ranges of the network have changed', async () =>
    expect(await detached({ settings: { ipam: { ranges: [[{ subnet: '10.9.0.0/24' }]] } } })).toEqual(before));
  it('with a setting that ADD would reject warns and leaves nothing', async () => {
    const { error, logged } = await node.run(call('DEL', { settings: { mtu: 'big' } }));
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toMatch(/ignoring an invalid setting during DEL: .*mtu/);
    expect(await node.state()).toEqual(before);
  });

  it('does not change another container’s attachment of the same pod', async () => {
    const attached = await node.state();
    await node.succeed(call('DEL', { containerId: 'earlier', sandboxPath: '' }));
    expect(await node.state()).toEqual(attached);
    expect(await detached()).toEqual(before);
  });

  it('without the API cleans the node, and the next command finishes the endpoint', async () => {
    await node.api.setFault({ kind: 'refuse' });
    const { error, logged } = await node.run(call('DEL'));
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toContain('a later command clears the endpoint of pod default/web');
    const left = (await node.state()).filter((line) => !before.includes(line));
    expect(left).toEqual([expect.stringContaining('c1@eth0.endpoint.json'), expect.stringContaining('pod web')]);
    await node.api.setFault(undefined);
    node.putPod('other');
    await node.succeed(call('DEL', { containerId: 'other', pod: 'other', sandboxPath: '' }));
    expect((await node.state()).filter((line) => !line.startsWith('pod other'))).toEqual(before);
  });

  it('whose delegate fails keeps the record, and can be repeated', async () => {
    const { error } = await node.run(call('DEL', { environment: { CNI_PATH: '/run/none' } }));
    expect(error).toMatchObject({ code: expect.any(Number), message: expect.not.stringMatching(/not found/i) });
    expect((await node.state()).filter((line) => !before.includes(line)).join('\n')).toContain('record.json');
    expect(await detached()).toEqual(before);
  });
});
