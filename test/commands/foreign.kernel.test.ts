import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { hostNamespace, makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { actingBeforeKernel } from '../support/commands/effects-points.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';

let node: CommandNode;
let empty: readonly string[];
beforeAll(async () => {
  node = await startCommandNode(17);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  node.putPod();
  node.putPod('other');
  empty = await node.state();
});

/** A container of a pod in a sandbox of the test. */
interface Container {
  readonly sandbox: Sandbox;
  call(verb: CommandCall['verb'], overrides?: Partial<CommandCall>): CommandCall;
}
async function makeContainer(containerId: string, pod = 'web'): Promise<Container> {
  const sandbox = await makeSandbox();
  onTestFinished(() => sandbox[Symbol.asyncDispose]());
  return {
    sandbox,
    call: (verb, overrides = {}) => ({ verb, containerId, pod, sandboxPath: sandbox.path, ...overrides }),
  };
}

describe('the living pod whose sandbox has the path of a dead one', () => {
  // cri-dockerd gives /proc/PID/ns/net, and PID is another process's by the time of DEL (kubernetes#100648).
  it('keeps its interface at DEL of the dead pod, at a repeated DEL, and at DEL of a container that was never attached', async () => {
    const living = await makeContainer('living', 'other');
    const dead = await makeContainer('dead');
    await node.succeed(living.call('ADD'));
    const alone = await node.state();
    await node.succeed(dead.call('ADD'));
    await dead.sandbox.remove();
    for (const containerId of ['dead', 'dead', 'never-attached']) {
      await node.succeed(dead.call('DEL', { containerId, sandboxPath: living.sandbox.path }));
      await node.untilState(alone);
      expect(await living.sandbox.ip('link', 'show', 'eth0')).toHaveLength(1);
    }
    await node.succeed(living.call('DEL'));
    expect(await node.state()).toEqual(empty);
  });
});

describe('an attachment to another network', () => {
  const otherNetwork = { settings: { name: 'network-17-other' } };

  it('is untouched by ADD and DEL of a network that wanted the same interface', async () => {
    const web = await makeContainer('c1');
    await node.succeed(web.call('ADD'));
    const attached = await node.state();
    expect((await node.run(web.call('ADD', otherNetwork))).error).toMatchObject({ code: 103 });
    for (let round = 0; round < 2; round++) {
      await node.succeed(web.call('DEL', otherNetwork));
      expect(await node.state()).toEqual(attached);
      expect(await web.sandbox.ip('link', 'show', 'eth0')).toHaveLength(1);
    }
    await node.succeed(web.call('DEL'));
    expect(await node.state()).toEqual(empty);
  });

  it('is removed with its lease, record and endpoint if its network was renamed (ocicni#31)', async () => {
    const web = await makeContainer('c1');
    await node.succeed(web.call('ADD'));
    await node.succeed(web.call('DEL', otherNetwork));
    expect(await node.state()).toEqual(empty);
  });
});

describe('an interface of another program', () => {
  it('in the sandbox stays at DEL of an ADD that was rejected because of it', async () => {
    const web = await makeContainer('c1');
    await web.sandbox.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    expect((await node.run(web.call('ADD'))).error).toMatchObject({ code: 103 });
    await node.succeed(web.call('DEL'));
    expect(await web.sandbox.ip('link', 'show', 'eth0')).toHaveLength(1);
    expect(await node.state()).toEqual(empty);
  });

  it('that takes the name of the host interface during ADD stays at its undo', async () => {
    const web = await makeContainer('c1');
    const name = node.hostInterface();
    const host = hostNamespace();
    const create = () => host.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name.slice(0, 10)}-p`);
    const { error } = await node.run(web.call('ADD'), { wrap: actingBeforeKernel('apply', create) });
    expect(error).toMatchObject({ code: 101, message: expect.stringContaining('EEXIST') });
    expect(await host.ip('link', 'show', name)).toHaveLength(1);
    await host.ip('link', 'delete', name);
    expect(await node.state()).toEqual(empty);
  });
});

describe('the new sandbox of a pod', () => {
  it('keeps its interface if its ADD replaces the old one during DEL of the old sandbox', async () => {
    const old = await makeContainer('old');
    const successor = await makeContainer('successor');
    await node.succeed(old.call('ADD'));
    const replaced: unknown[] = [];
    const replace = async () => {
      if (replaced.length === 0) replaced.push(await node.succeed(successor.call('ADD')));
    };
    expect(
      (await node.run(old.call('DEL'), { wrap: actingBeforeKernel('deleteInterface', replace) })).error,
    ).toBeUndefined();
    await node.succeed(successor.call('CHECK', { settings: { prevResult: JSON.parse(JSON.stringify(replaced[0])) } }));
    await node.succeed(successor.call('DEL'));
    await node.untilState(empty);
  });
});

describe('the network namespace of the node', () => {
  it('as CNI_NETNS of DEL counts as a removed sandbox', async () => {
    const web = await makeContainer('c1');
    await node.succeed(web.call('ADD'));
    const { error, logged } = await node.run(web.call('DEL', { sandboxPath: '/proc/self/ns/net' }));
    expect(error).toBeUndefined();
    expect(logged.join('\n')).toContain('is the network namespace of the node itself: the sandbox is gone');
    await node.untilState(empty);
  });

  it('keeps its eth0 at DEL, even if CNI_NETNS_OVERRIDE allows the namespace', async () => {
    const host = hostNamespace();
    await host.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0-peer');
    onTestFinished(async () => void (await host.ip('link', 'delete', 'eth0')));
    const environment = { CNI_NETNS_OVERRIDE: '1' };
    const web = await makeContainer('c1');
    await node.succeed(web.call('DEL', { sandboxPath: '/proc/self/ns/net', environment }));
    expect(await host.ip('link', 'show', 'eth0')).toHaveLength(1);
  });
});

describe('a copy of a node’s disk', () => {
  it('removes lease and record of the original’s pods, and leaves their endpoints alone', async () => {
    const web = await makeContainer('c1');
    await node.succeed(web.call('ADD'));
    const attached = await node.state();
    const settings = { nodename: 'copy-of-the-node' };
    await node.succeed({ verb: 'GC', settings: { ...settings, 'cni.dev/valid-attachments': [] } });
    expect((await node.state()).filter((line) => line.startsWith('pod '))).toEqual(
      attached.filter((line) => line.startsWith('pod ')),
    );
    expect((await node.state()).filter((line) => /^(lease|record) /.test(line))).toEqual([]);
  });
});
