import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatHostInterfaceAlias } from '../../../src/plan/host-interface-alias.ts';
import { hostInterfaceName } from '../../../src/plan/host-interface-name.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { WEB, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

const OWNER = { pod: WEB, interfaceName: 'eth0', containerId: 'c1' };
const HOST_INTERFACE = hostInterfaceName('cali', OWNER, (text) => hash('sha1', text));

const sha1 = (text: string): string => hash('sha1', text);
const OTHER_ALIAS = formatHostInterfaceAlias(
  { containerId: 'c9', interfaceName: 'eth0', network: 'faulty', workload: 'other/pod' },
  sha1,
);

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

const ip = (...words: readonly string[]) => hostNamespace().exec('ip', ...words);

/** Creates a host interface as an earlier plugin would have left it. It is removed when the test ends. */
async function aHostInterface(kind: 'veth' | 'bridge', alias?: string): Promise<AsyncDisposable> {
  await ip('link', 'add', HOST_INTERFACE, 'type', kind, ...(kind === 'veth' ? ['peer', 'name', 'foreign'] : []));
  if (alias !== undefined) await ip('link', 'set', HOST_INTERFACE, 'alias', alias);
  return {
    [Symbol.asyncDispose]: async () => void (await ip('link', 'delete', HOST_INTERFACE).catch(() => undefined)),
  };
}

describe('an interface of that name in the sandbox', () => {
  it('is an error before any change, also before an address is requested', async () => {
    await sandbox.exec('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'foreign');
    const inside = await sandbox.ip('link', 'show');
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 103 });
    expect(answer?.['msg']).toMatch(/already has an interface eth0/);
    expect(await sandbox.ip('link', 'show')).toEqual(inside);
    expect(await node.state()).toEqual(before);
  });

  it('is an error for a second ADD of one attachment, and the first attachment does not change', async () => {
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    const attached = await node.state();
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 103 });
    expect(await node.state()).toEqual(attached);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});

describe('a host interface of that name', () => {
  it('of the same pod in an earlier sandbox is replaced, and the DEL of the earlier one leaves the new one alone', async () => {
    await using later = await makeSandbox();
    const second = { sandboxPath: later.path, containerId: 'c2' };
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    const added = await node.run({ verb: 'ADD', ...second });
    expect(added).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('of an earlier sandbox of the same pod'),
    });
    const attached = await node.state();
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    const { records, leases, ...others } = await node.state();
    expect({ ...attached, records, leases, ...others }).toEqual({
      ...attached,
      records: [expect.stringMatching(/^c2/)],
      leases,
    });
    expect(await node.leases()).toHaveLength(2);
    expect(await node.run({ verb: 'DEL', ...second })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });

  it('of another pod is an error that names both pods, and nothing changes', async () => {
    await using stack = new AsyncDisposableStack();
    stack.use(await aHostInterface('veth', OTHER_ALIAS));
    const taken = await node.state();
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 103 });
    expect(answer?.['msg']).toMatch(new RegExp(`${HOST_INTERFACE}.*default/web.*other/pod`));
    expect(await node.state()).toEqual(taken);
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  });

  it('of another pod is not changed by DEL', async () => {
    await using stack = new AsyncDisposableStack();
    stack.use(await aHostInterface('veth', OTHER_ALIAS));
    const taken = await node.state();
    const config = node.netconf({
      prevResult: { cniVersion: '1.0.0', interfaces: [{ name: HOST_INTERFACE }], ips: [] },
    });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path, config })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(taken);
  });

  it('that is not a veth is an error, and nothing changes', async () => {
    await using stack = new AsyncDisposableStack();
    stack.use(await aHostInterface('bridge'));
    const taken = await node.state();
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 103 });
    expect(answer?.['msg']).toMatch(/belongs to another program/);
    expect(await node.state()).toEqual(taken);
  });
});

describe('a route to the address that another interface has', () => {
  it('is an error that names the interface; the route stays, nothing else', async () => {
    const subnet = [[{ subnet: '10.75.0.0/24', rangeStart: '10.75.0.9', rangeEnd: '10.75.0.9' }]];
    const config = node.netconf({ ipam: { ranges: subnet } });
    await ip('route', 'add', '10.75.0.9/32', 'dev', 'uplink');
    const routed = await node.state();
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 104 });
    expect(answer?.['msg']).toMatch(/interface uplink \(without an alias\) already has a route/);
    expect(await node.state()).toEqual(routed);
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    await ip('route', 'delete', '10.75.0.9/32', 'dev', 'uplink');
  });

  it('is an error for a route without an interface, too', async () => {
    const subnet = [[{ subnet: 'fd75::/64', rangeStart: 'fd75::9', rangeEnd: 'fd75::9' }]];
    const config = node.netconf({ ipam: { ranges: subnet } });
    await ip('route', 'add', 'unreachable', 'fd75::9/128');
    const routed = await node.state();
    const { exitCode } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config });
    await ip('route', 'delete', 'unreachable', 'fd75::9/128').catch(() => undefined);
    expect(exitCode).toBe(1);
    expect(routed).not.toEqual(before);
    expect(await node.state()).toEqual(before);
  });
});
