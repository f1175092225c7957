import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { actingAt } from '../support/commands/effects-points.ts';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';

let node: CommandNode;
beforeAll(async () => {
  node = await startCommandNode(6);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  await node.api.setFault(undefined);
  node.api.setToken('a-token');
  rmSync(join(node.folder, 'status'), { recursive: true, force: true });
});

const status = async (overrides: Partial<CommandCall> = {}): Promise<unknown> =>
  (await node.run({ verb: 'STATUS', ...overrides })).error;
const requests = async (ask: () => Promise<unknown>): Promise<readonly string[]> => {
  const earlier = node.api.requests.length;
  await ask();
  return node.api.requests.slice(earlier).map(({ path }) => path);
};

describe('STATUS', () => {
  it('of a node on which ADD would succeed prints nothing', async () => {
    const before = await node.state();
    expect(await node.run({ verb: 'STATUS' })).toMatchObject({ error: undefined, outputs: [] });
    expect(await node.state()).toEqual(before);
  });

  it('sends one request per minute to the API', async () => {
    expect(await requests(status)).toEqual(['/api/v1/nodes/command-node']);
    expect(await requests(status)).toEqual([]);
  });

  it('of a network without podCIDRs requests only the version', async () => {
    const config = { ipam: { ranges: [[{ subnet: '10.9.0.0/24' }]] } };
    expect(await requests(() => status({ settings: config }))).toEqual(['/version']);
  });

  const unavailable = (what: string, config: JsonObject, environment: CommandCall['environment'], words: RegExp) =>
    it(`is 50: ${what}`, async () => {
      const error = await status({ settings: config, ...(environment && { environment }) });
      expect(error).toMatchObject({ code: ERROR_CODE.notAvailable, message: expect.stringMatching(words) });
    });
  unavailable(
    'the delegate is missing',
    {},
    { CNI_PATH: '/run/none' },
    /no pod can be attached on this node: .*host-local/,
  );
  unavailable('the API has no such node', { nodename: 'other' }, undefined, /no node other/);
  unavailable('the kubeconfig is missing', { kubernetes: { kubeconfig: '/none' } }, undefined, /\/none/);

  it('is 50 while the API is unavailable, and 0 as soon as it is back', async () => {
    await node.api.setFault({ kind: 'refuse' });
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    await node.api.setFault(undefined);
    expect(await status()).toBeUndefined();
  });

  it('remembers that the API has refused, and why', async () => {
    node.api.setToken('another');
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    expect(
      await requests(async () => expect(await status()).toMatchObject({ message: expect.stringContaining('401') })),
    ).toEqual([]);
  });

  it('is 51, naming them, if pods have lost their host interface', async () => {
    await using sandbox = await makeSandbox();
    node.putPod();
    await node.succeed({ verb: 'ADD', sandboxPath: sandbox.path });
    expect(await status()).toBeUndefined();
    await hostNamespace().ip('link', 'delete', node.hostInterface());
    expect(await status()).toMatchObject({
      code: ERROR_CODE.limitedConnectivity,
      details: `default/web (${node.hostInterface()})`,
    });
    await node.succeed({ verb: 'DEL', sandboxPath: sandbox.path });
    expect(await status()).toBeUndefined();
  });

  it('does not count a pod whose DEL is running or has failed half-way', async () => {
    await using sandbox = await makeSandbox();
    node.putPod();
    await node.succeed({ verb: 'ADD', sandboxPath: sandbox.path });
    const stopped = actingAt('delegate.del #1', 'before', () => {
      throw new Error('stopped');
    });
    expect((await node.run({ verb: 'DEL', sandboxPath: sandbox.path }, { wrap: stopped })).error).toBeDefined();
    expect(await status()).toBeUndefined();
    await node.succeed({ verb: 'DEL', sandboxPath: sandbox.path });
  });
  it('does not count a pod without its sandbox, because its DEL is still to come', async () => {
    const sandbox = await makeSandbox();
    node.putPod();
    await node.succeed({ verb: 'ADD', sandboxPath: sandbox.path });
    await hostNamespace().ip('link', 'delete', node.hostInterface());
    await sandbox.remove();
    expect(await status()).toBeUndefined();
    await node.succeed({ verb: 'DEL' });
  });
});
