import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

let node: CommandNode;
let sandbox: Sandbox;
let result: JsonObject;
beforeAll(async () => {
  node = await startCommandNode(5);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  await node.api.setFault(undefined);
  node.putPod();
  sandbox = await makeSandbox();
  result = await node.succeed(call('ADD'));
  return async () => {
    await node.succeed(call('DEL'));
    await sandbox.remove();
  };
});

const call = (verb: CommandCall['verb'], overrides: Partial<CommandCall> = {}): CommandCall => ({
  verb,
  sandboxPath: sandbox.path,
  ...overrides,
});
const check = async (overrides: Partial<CommandCall> = {}): Promise<unknown> =>
  (await node.run(call('CHECK', { settings: { prevResult: result }, ...overrides }))).error;

/** Runs a CHECK, and returns the differences that it reports. */
async function drift(): Promise<string> {
  const error = await check();
  return error instanceof CniError && error.code === ERROR_CODE.drifted ? error.details : `none: ${String(error)}`;
}

describe('CHECK', () => {
  it('of an undamaged attachment succeeds, prints nothing and changes nothing', async () => {
    const before = await node.state();
    expect(await node.run(call('CHECK', { settings: { prevResult: result } }))).toMatchObject({
      error: undefined,
      outputs: [],
    });
    expect(await node.state()).toEqual(before);
  });

  it('without prevResult is refused', async () =>
    expect(await check({ settings: {} })).toMatchObject({ code: ERROR_CODE.invalidConfig }));

  it('with the sandbox gone is refused', async () =>
    expect(await check({ sandboxPath: '/run/none' })).toMatchObject({ code: ERROR_CODE.invalidSandbox }));

  it('reports a missing host interface', async () => {
    await hostNamespace().ip('link', 'delete', node.hostInterface());
    expect(await drift()).toMatch(new RegExp(node.hostInterface()));
  });

  it('reports a missing address', async () => {
    await sandbox.ip('address', 'flush', 'dev', 'eth0');
    expect(await drift()).toMatch(/10\.80\.5\./);
  });

  it('reports a missing route', async () => {
    await hostNamespace().exec('sh', '-c', `ip route flush dev ${node.hostInterface()}`);
    expect(await drift()).toMatch(/10\.80\.5\..*/);
  });

  it('passes on the delegate’s error for a missing lease', async () => {
    rmSync(join(node.folder, 'leases'), { recursive: true });
    expect(await check()).toMatchObject({ code: 999, details: expect.stringContaining('from the IPAM plugin') });
  });

  it('reports a missing endpoint and a missing pod', async () => {
    node.putPod();
    expect(await drift()).toMatch(/annotation cni\.projectcalico\.org\/podIP of pod default\/web/);
    node.api.deletePod('default', 'web');
    expect(await drift()).toMatch(/pod default\/web/);
    node.putPod();
  });

  it('without the API fails with the code for a retry', async () => {
    await node.api.setFault({ kind: 'refuse' });
    expect(await check()).toMatchObject({ code: ERROR_CODE.tryAgainLater });
    await node.api.setFault(undefined);
  });
});
