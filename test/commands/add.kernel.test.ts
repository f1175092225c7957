import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { actingAt } from '../support/commands/effects-points.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

let node: CommandNode;
let sandbox: Sandbox;
let before: readonly string[];
beforeAll(async () => {
  node = await startCommandNode(1);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  node.putPod();
  sandbox = await makeSandbox();
  before = await node.state();
  return () => sandbox[Symbol.asyncDispose]();
});

const call = (verb: 'ADD' | 'DEL', overrides: Partial<CommandCall> = {}): CommandCall => ({
  verb,
  sandboxPath: sandbox.path,
  ...overrides,
});

/** Runs an ADD, and returns its error, its outputs and the state of the node after it. */
async function refusal(overrides: Partial<CommandCall> = {}): Promise<unknown> {
  const { error, outputs } = await node.run(call('ADD', overrides));
  return { error, outputs, state: await node.state() };
}
const refusedWith = (code: number, message: RegExp): unknown => ({
  error: expect.objectContaining({ code, message: expect.stringMatching(message) }),
  outputs: [],
  state: before,
});

describe('ADD', () => {
  it('creates interface, lease, endpoint and record, and prints the result', async () => {
    const result = await node.succeed(call('ADD'));
    expect(result).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [{ name: node.hostInterface() }, { name: 'eth0', sandbox: sandbox.path }],
      ips: [{ interface: 1 }, { interface: 1 }],
    });
    const state = (await node.state()).join('\n');
    for (const part of [
      `${node.hostInterface()} podwire`,
      'lease ',
      '"stage":"attached"',
      '"cni.projectcalico.org/podIPs"',
    ])
      expect(state).toContain(part);
    await node.succeed(call('DEL'));
  });

  it('without a pod requests only the node from the API, writes no endpoint and warns', async () => {
    const earlier = node.api.requests.length;
    const { error, logged } = await node.run(call('ADD', { pod: 'none', containerId: 'plain' }));
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toContain('CNI_ARGS names no pod');
    expect(node.api.requests.slice(earlier).map(({ path }) => path)).toEqual(['/api/v1/nodes/command-node']);
    await node.succeed(call('DEL', { pod: 'none', containerId: 'plain' }));
    expect(await node.state()).toEqual(before);
  });

  it('of an existing attachment is refused and changes nothing', async () => {
    await node.succeed(call('ADD'));
    const attached = await node.state();
    expect((await node.run(call('ADD'))).error).toMatchObject({ code: ERROR_CODE.interfaceTaken });
    expect(await node.state()).toEqual(attached);
    await node.succeed(call('DEL'));
  });

  it('of a pod whose earlier sandbox still exists replaces its host interface', async () => {
    await using earlier = await makeSandbox();
    await node.succeed(call('ADD', { sandboxPath: earlier.path, containerId: 'earlier' }));
    await node.succeed(call('ADD'));
    expect(await earlier.ip('link', 'show', 'type', 'veth')).toEqual([]);
    const attached = (await node.state()).filter((line) => line.includes(' c1 '));
    await node.succeed(call('DEL', { sandboxPath: earlier.path, containerId: 'earlier' }));
    expect((await node.state()).filter((line) => line.includes(' c1 '))).toEqual(attached);
    await node.succeed(call('DEL'));
    expect(await node.state()).toEqual(before);
  });

  it('is refused in a sandbox that already has the interface', async () => {
    await sandbox.ip('link', 'add', 'eth0', 'type', 'bridge');
    expect(await refusal({})).toEqual(refusedWith(ERROR_CODE.interfaceTaken, /already has an interface eth0/));
  });

  it('is refused on a node where the interface belongs to another program', async () => {
    const name = node.hostInterface();
    await hostNamespace().ip('link', 'add', name, 'type', 'bridge');
    before = await node.state();
    expect(await refusal({})).toEqual(refusedWith(ERROR_CODE.interfaceTaken, new RegExp(`host interface ${name}`)));
    await hostNamespace().ip('link', 'delete', name);
  });

  it('is refused without a sandbox', async () =>
    expect(await refusal({ sandboxPath: '/run/none' })).toEqual(
      refusedWith(ERROR_CODE.invalidSandbox, /is not a network namespace/),
    ));
  it('is refused without its pod', async () =>
    expect(await refusal({ pod: 'gone' })).toEqual(refusedWith(ERROR_CODE.apiRefused, /no pod default\/gone/)));
  it('is refused without its delegate, before any change that only the delegate could undo', async () => {
    const { error } = await node.run(call('ADD', { environment: { CNI_PATH: '/run/none' } }));
    expect(error).toMatchObject({ message: expect.stringContaining('host-local') });
    expect(await node.state()).toEqual(before);
  });

  it('uses the credentials that replace its own between its requests', async () => {
    const renew = (): void => {
      node.api.setToken('a-renewed-token');
      node.api.writeKubeconfig(node.kubeconfigPath);
    };
    const { error } = await node.run(call('ADD'), { wrap: actingAt('cluster.readNode #1', 'after', renew) });
    expect(error).toBeUndefined();
    await node.succeed(call('DEL'));
    expect(await node.state()).toEqual(before);
  });

  it('that the runtime ends while it waits for the policy is undone', async () => {
    const ended = new AbortController();
    const config = { policy_setup_timeout_seconds: 60, endpoint_status_dir: node.folder };
    const wrap = actingAt('cluster.patchPodAnnotations #1', 'after', () => ended.abort());
    const { error } = await node.run(call('ADD', { settings: config }), { signal: ended.signal, wrap });
    expect(error).toBe(ended.signal.reason);
    expect(await node.state()).toEqual(before);
  });

  it('cleans up what an ADD of an earlier boot left, including its lease', async () => {
    await node.succeed(call('ADD', { containerId: 'old', pod: 'none' }));
    await sandbox.remove();
    const record: object = JSON.parse(readFileSync(node.record('old'), 'utf8'));
    writeFileSync(node.record('old'), JSON.stringify({ ...record, bootId: 'earlier' }));
    writeFileSync(join(node.journal, 'swept-boot'), 'earlier\n');
    await using later = await makeSandbox();
    await node.succeed(call('ADD', { sandboxPath: later.path }));
    expect((await node.state()).join('\n')).not.toContain('old');
    await node.succeed(call('DEL', { sandboxPath: later.path }));
    expect(await node.state()).toEqual(before);
  });
});
