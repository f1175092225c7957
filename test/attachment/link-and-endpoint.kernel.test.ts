import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';

const PREFIX = 'cni.projectcalico.org/';
const MAC = '0e:00:00:00:00:07';

let node: CommandNode;
let sandbox: Sandbox;
let before: readonly string[];
beforeAll(async () => {
  node = await startCommandNode(61);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  node.putPod();
  before = await node.state();
  sandbox = await makeSandbox();
  return () => sandbox[Symbol.asyncDispose]();
});

const call = (verb: 'ADD' | 'CHECK' | 'DEL', overrides: Partial<CommandCall> = {}): CommandCall => ({
  verb,
  sandboxPath: sandbox.path,
  ...overrides,
});

/** The requests of one command, `PATCH pods` for example. */
async function requestsOf(command: () => Promise<unknown>): Promise<readonly string[]> {
  const earlier = node.api.requests.length;
  await command();
  return node.api.requests.slice(earlier).map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
}

describe('link and endpoint', () => {
  it('take two requests, and their removal one', async () => {
    expect(await requestsOf(() => node.succeed(call('ADD')))).toEqual(['GET command-node', 'PATCH status']);
    expect(await requestsOf(() => node.succeed(call('DEL')))).toEqual(['PATCH status']);
    expect(await node.state()).toEqual(before);
  });

  it('have the MAC address that the pod asks for, with everything that depends on it', async () => {
    node.putPod('web', undefined, { [`${PREFIX}hwAddr`]: MAC });
    const result = await node.succeed(call('ADD'));
    expect(result['interfaces']).toMatchObject([{ name: node.hostInterface() }, { name: 'eth0', mac: MAC }]);
    expect(await sandbox.ip('link', 'show', 'eth0')).toMatchObject([{ address: MAC }]);
    const settings = { prevResult: { cniVersion: '1.1.0', ...result } };
    await node.succeed(call('CHECK', { settings }));
    await node.succeed(call('DEL'));
    expect(await node.state()).toEqual(before);
  });

  it('of a static pod, whose uid the API server does not know, are written on its mirror Pod', async () => {
    const hash = '0123456789abcdef0123456789abcdef';
    node.putPod('web', undefined, { 'kubernetes.io/config.mirror': hash });
    before = await node.state();
    const requests = await requestsOf(() => node.succeed(call('ADD', { podUid: hash })));
    expect(requests.toSorted()).toEqual(['GET command-node', 'GET web', 'PATCH status']);
    await node.succeed(call('DEL', { podUid: hash }));
    expect(await node.state()).toEqual(before);
  });

  it('of a static pod with a uid like those of the API server, too', async () => {
    node.putPod('web', undefined, { 'kubernetes.io/config.mirror': 'uid-of-manifest' });
    before = await node.state();
    await node.succeed(call('ADD', { podUid: 'uid-of-manifest' }));
    await node.succeed(call('DEL', { podUid: 'uid-of-manifest' }));
    expect(await node.state()).toEqual(before);
  });

  it('of a pod that is as large as a Pod can be take the annotations that count into account', async () => {
    const labels = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`key-${index}`, `v${index}`]));
    const notes = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`note-${index}`, '']));
    node.api.putPod({
      metadata: {
        namespace: 'default',
        name: 'web',
        uid: 'uid-of-web',
        labels,
        annotations: { ...notes, [`${PREFIX}hwAddr`]: MAC },
      },
      spec: { nodeName: 'command-node' },
    });
    const result = await node.succeed(call('ADD'));
    expect(result['interfaces']).toMatchObject([{}, { mac: MAC }]);
    await node.succeed(call('DEL'));
    node.putPod();
    expect(await node.state()).toEqual(before);
  });

  const refused = (what: string, podUid: string, annotations: Record<string, string>, message: RegExp) =>
    it(`of ${what} leave nothing`, async () => {
      node.putPod('web', undefined, annotations);
      before = await node.state();
      const { error, outputs } = await node.run(call('ADD', { podUid }));
      expect(error).toMatchObject({ message: expect.stringMatching(message) });
      expect(outputs).toEqual([]);
      expect(await node.state()).toEqual(before);
      expect(await sandbox.ip('link', 'show', 'type', 'veth')).toEqual([]);
    });
  refused('a pod that was replaced', 'uid-of-earlier', {}, /another pod default\/web/);
  const WITH_ADDRESS = { [`${PREFIX}ipAddrs`]: '["10.0.0.1"]' };
  refused('a pod that chooses its address', 'uid-of-web', WITH_ADDRESS, /ipAddrs: a pod cannot choose its address/);

  it('of a pod that was deleted leave nothing', async () => {
    node.api.deletePod('default', 'web');
    const { error } = await node.run(call('ADD'));
    expect(error).toMatchObject({
      code: ERROR_CODE.apiRefused,
      message: expect.stringContaining('no pod default/web'),
    });
    node.putPod();
    expect(await node.state()).toEqual(before);
  });
});
