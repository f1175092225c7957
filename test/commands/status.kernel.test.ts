import { rmSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { actingBeforeKernel } from '../support/commands/effects-points.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { until } from '../lab/until.ts';
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

  it('forgets a failure as soon as the credentials have changed', async () => {
    node.api.setToken('another');
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    const kubeconfigPath = join(node.folder, 'kubeconfig');
    node.api.writeKubeconfig(kubeconfigPath);
    expect(await status()).toBeUndefined();
    node.api.writeKubeconfig(kubeconfigPath, { auth: 'none' });
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    node.api.setToken('a-token');
    node.api.writeKubeconfig(kubeconfigPath);
    expect(await status()).toBeUndefined();
  });

  it('forgets a failure after a few seconds, whatever its cause was', async () => {
    node.api.setToken('another');
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    node.api.setToken('a-token');
    const begunMs = performance.now();
    await until('STATUS succeeds again', async () => (await status()) === undefined);
    expect(performance.now() - begunMs).toBeLessThan(30_000);
  });

  it('remembers that the API has refused, and why', async () => {
    node.api.setToken('another');
    expect(await status()).toMatchObject({ code: ERROR_CODE.notAvailable });
    expect(
      await requests(async () =>
        expect(await status()).toMatchObject({ message: expect.stringContaining('401'), finding: 'PW401' }),
      ),
    ).toEqual([]);
  });

  const attachPods = async (stack: AsyncDisposableStack, count: number): Promise<readonly string[]> => {
    const names = Array.from({ length: count }, (_, index) => `pod-${index}`);
    for (const pod of names) {
      const sandbox = stack.use(await makeSandbox());
      node.putPod(pod);
      const call = { sandboxPath: sandbox.path, containerId: pod, pod };
      stack.defer(async () => void (await node.succeed({ verb: 'DEL', ...call })));
      await node.succeed({ verb: 'ADD', ...call });
    }
    return names;
  };
  const deleteInterface = (pod: string) => hostNamespace().ip('link', 'delete', node.hostInterface(pod));

  it('is 51, naming them, only if most pods have lost their host interface', async () => {
    await using stack = new AsyncDisposableStack();
    const [first = '', second = '', third = ''] = await attachPods(stack, 4);
    expect(await status()).toBeUndefined();
    // One pod may have deleted its own interface, which must not evict the others.
    await deleteInterface(first);
    const { error, logged } = await node.run({ verb: 'STATUS' });
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toContain(`1 of 4 pods of this node have lost their host interface: default/${first} (`);
    await deleteInterface(second);
    expect(await status()).toBeUndefined();
    await deleteInterface(third);
    const lost = await status();
    expect(lost).toMatchObject({ code: ERROR_CODE.limitedConnectivity, message: expect.stringMatching(/^3 pods/) });
    for (const pod of [first, second, third]) {
      expect(lost).toHaveProperty('details', expect.stringContaining(`default/${pod} (${node.hostInterface(pod)})`));
    }
  });

  it('is 0 for the only pod of a node without its host interface', async () => {
    await using stack = new AsyncDisposableStack();
    const [only = ''] = await attachPods(stack, 1);
    await deleteInterface(only);
    expect(await status()).toBeUndefined();
  });

  it('does not count pods whose DEL deletes the interfaces while it runs', async () => {
    await using stack = new AsyncDisposableStack();
    const pods = await attachPods(stack, 2);
    const detachOnce = Array.from(pods);
    const detachAll = async (): Promise<void> => {
      for (const pod of detachOnce.splice(0)) await node.succeed({ verb: 'DEL', containerId: pod, pod });
    };
    const wrap = actingBeforeKernel('listInterfaces', detachAll);
    expect((await node.run({ verb: 'STATUS' }, { wrap })).error).toBeUndefined();
  });

  it('does not count pods that leave a plain file where their sandbox was mounted', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp('/run/podwire-stale-');
    stack.defer(() => rm(folder, { recursive: true }));
    for (const pod of ['stale-0', 'stale-1']) {
      const sandbox = await makeSandbox();
      node.putPod(pod);
      const path = join(folder, pod);
      await symlink(sandbox.path, path);
      stack.defer(async () => void (await node.succeed({ verb: 'DEL', sandboxPath: path, containerId: pod, pod })));
      await node.succeed({ verb: 'ADD', sandboxPath: path, containerId: pod, pod });
      await hostNamespace().ip('link', 'delete', node.hostInterface(pod));
      await sandbox.remove();
      await rm(path);
      await writeFile(path, '');
    }
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
