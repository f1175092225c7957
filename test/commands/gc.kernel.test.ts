import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

let node: CommandNode;
let sandbox: Sandbox;
let before: readonly string[];
beforeAll(async () => {
  node = await startCommandNode(4);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  await node.api.setFault(undefined);
  node.putPod();
  sandbox = await makeSandbox();
  before = await node.state();
  await node.succeed(call('ADD'));
  return async () => {
    await node.api.setFault(undefined);
    await node.run(call('DEL')); // what a failed test has left must not affect the next test
    await sandbox[Symbol.asyncDispose]();
  };
});

const call = (verb: 'ADD' | 'DEL'): CommandCall => ({ verb, sandboxPath: sandbox.path });
const gc = (...valid: readonly string[]): CommandCall => ({
  verb: 'GC',
  settings: { 'cni.dev/valid-attachments': valid.map((containerID) => ({ containerID, ifname: 'eth0' })) },
});

describe('GC', () => {
  it('removes attachments that are not in the list', async () => {
    await node.succeed(gc());
    expect(await node.state()).toEqual(before);
  });

  const keeps = (what: string, command: () => CommandCall) =>
    it(`keeps ${what}`, async () => {
      const attached = await node.state();
      await node.succeed(command());
      expect(await node.state()).toEqual(attached);
      await node.succeed(call('DEL'));
    });
  keeps('attachments that are in the list', () => gc('c1'));
  keeps('every attachment, without a list', () => ({ verb: 'GC' }));
  keeps('what is of another network', () => ({ ...gc(), settings: { ...gc().settings, name: 'another-network' } }));

  it('keeps the attachment of a running ADD, whatever the list contains', async () => {
    await node.succeed(call('DEL'));
    let during: unknown;
    const { error } = await node.run(call('ADD'), {
      wrap: (effects) => ({
        ...effects,
        output: async () => {
          during = (await node.run(gc())).error;
        },
      }),
    });
    expect([error, during]).toEqual([undefined, undefined]);
    expect((await node.state()).join('\n')).toContain('"stage":"attached"');
    await node.succeed(call('DEL'));
  });

  it('releases the lease of a damaged record, and its interface by its alias', async () => {
    writeFileSync(node.record(), '');
    await node.succeed(gc());
    const left = (await node.state()).filter((line) => !line.startsWith('pod '));
    expect(left).toEqual(before.filter((line) => !line.startsWith('pod ')));
  });

  it('removes an interface of this network that has no record', async () => {
    rmSync(node.record());
    const { error, logged } = await node.run(gc());
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toContain(`host interface ${node.hostInterface()} belongs to no valid container`);
    expect((await node.state()).join('\n')).not.toMatch(/^lease |^record c1@/m);
  });

  it('without the API cleans the node, and the next GC clears the endpoint', async () => {
    await node.api.setFault({ kind: 'refuse' });
    await node.succeed(gc());
    const left = (await node.state()).filter((line) => !before.includes(line));
    expect(left).toEqual([expect.stringContaining('endpoint.json'), expect.stringContaining('pod web')]);
    await node.api.setFault(undefined);
    await node.succeed(gc());
    expect(await node.state()).toEqual(before);
  });

  it('continues after failures and names them at the end', async () => {
    const { error } = await node.run({ ...gc(), environment: { CNI_PATH: '/run/none' } });
    expect(error).toMatchObject({
      code: 5,
      details: expect.stringMatching(/container c1: .*; the IPAM plugin host-local: /),
    });
    await node.succeed(gc());
    expect(await node.state()).toEqual(before);
  });
});
