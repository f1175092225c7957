import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { actingAt, recordingPoints, type Point } from '../support/commands/effects-points.ts';
import { startCommandNode, type CommandNode } from '../support/nodes/command-node.ts';
import { useForAllTests } from '../support/suite/hooks.ts';

let node: CommandNode;
useForAllTests(async () => (node = await startCommandNode(40)));

const folder = () => join(node.dataDir, node.network);
const lease = (name: string) => join(folder(), name);
const addresses = async () => (await readdir(folder())).filter((name) => /^[0-9a-f]+[.:]/.test(name)).toSorted();
const collect = (...valid: readonly string[]) => ({
  verb: 'GC' as const,
  settings: { 'cni.dev/valid-attachments': valid.map((containerID) => ({ containerID, ifname: 'eth0' })) },
});
beforeEach(async () => {
  await rm(folder(), { recursive: true, force: true });
  await mkdir(folder(), { recursive: true });
  await writeFile(lease('lock'), '');
});

describe('GC removes damaged leases of host-local that no attachment can own', () => {
  it('after a power failure', async () => {
    await writeFile(lease('10.80.40.20'), '');
    await writeFile(lease('fd80:40::20'), '\0'.repeat(20));
    await writeFile(lease('10.80.40.21'), 'gone-container\r\n');
    expect((await node.run(collect())).error).toBeUndefined();
    expect(await addresses()).toEqual([]);
  });

  it('but keeps those whose address the node has a route to, and whose text can be of a known container', async () => {
    await writeFile(lease('10.80.40.22'), '');
    await writeFile(lease('10.80.40.23'), 'valid-con');
    await writeFile(lease('10.80.40.24'), 'whole\r\neth0');
    await hostNamespace().exec('ip', 'route', 'add', '10.80.40.22/32', 'dev', 'uplink');
    expect((await node.run(collect('valid-container'))).error).toBeUndefined();
    expect(await addresses()).toEqual(['10.80.40.22', '10.80.40.23', '10.80.40.24']);
    await hostNamespace().exec('ip', 'route', 'del', '10.80.40.22/32', 'dev', 'uplink');
  });

  it('and none without a list of valid attachments', async () => {
    await writeFile(lease('10.80.40.20'), '');
    expect((await node.run({ verb: 'GC' })).error).toBeUndefined();
    expect(await addresses()).toEqual(['10.80.40.20']);
  });
});

describe('an ADD for which host-local has no free address', () => {
  it('names the leases whose container this node no longer knows', async () => {
    await using sandbox = await makeSandbox();
    const range = { subnet: '10.80.40.0/24', rangeStart: '10.80.40.2', rangeEnd: '10.80.40.3' };
    await writeFile(lease('10.80.40.2'), 'gone\r\neth0');
    await writeFile(lease('10.80.40.3'), '');
    const settings = { ipam: { ranges: [[range]] } };
    const { error } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, settings });
    expect(error?.message).toMatch(
      /no IP addresses available in range set: 10.80.40.2-10.80.40.3; 1 of 2 leases belong to containers that this node no longer knows, and 1 are damaged and name no container$/,
    );
  });
});

describe('the lease', () => {
  const putNode = (podCidr: string) =>
    node.api.putNode({ metadata: { name: 'command-node' }, spec: { podCIDRs: [podCidr, 'fd80:40::/64'] } });
  const RANGES = { ipam: { ranges: [[{ subnet: 'usePodCidr' }]] } };
  beforeEach(() => {
    putNode('10.80.40.0/24');
    return () => putNode('10.80.40.0/24');
  });
  /** Attaches a container, and returns its address. */
  async function attach(containerId: string, setting: Parameters<CommandNode['run']>[1] = {}): Promise<string> {
    await using sandbox = await makeSandbox();
    const call = { sandboxPath: sandbox.path, containerId, pod: 'none', settings: RANGES } as const;
    const { error, outputs } = await node.run({ ...call, verb: 'ADD' }, setting);
    if (error !== undefined) throw error;
    const [leased = 'none'] = await addresses();
    expect(outputs.join()).toContain(`"${leased}/32"`);
    await node.succeed({ ...call, verb: 'DEL' });
    expect(await addresses()).toEqual([]);
    return leased;
  }

  it('is requested before the API server has answered, from the podCIDRs of the last ADD', async () => {
    await attach('first');
    const points: Point[] = [];
    let order: readonly string[] = [];
    const wrap = actingAt('delegate.add #1', 'before', () => (order = points.map(({ name }) => name)));
    const address = await attach('second', { wrap: (effects) => wrap(recordingPoints(points)(effects)) });
    expect(address).toMatch(/^10\.80\.40\./);
    expect(order).not.toContain('podCidrCache.write #1');
    expect(points.map(({ name }) => name)).not.toContain('delegate.add #2');
  });

  it('is of the new podCIDR as soon as the Node has one, and none of the old one is left', async () => {
    await attach('first');
    putNode('10.80.41.0/24');
    expect(await attach('second')).toMatch(/^10\.80\.41\./);
  });

  it('is of the new podCIDR if the Node gets it after host-local was asked', async () => {
    await attach('first');
    const wrap = actingAt('delegate.add #1', 'before', () => putNode('10.80.41.0/24'));
    const address = await attach('second', { wrap });
    // Whichever the API server has answered is right; the lease is of the same one.
    expect(address).toMatch(/^10\.80\.4[01]\./);
    expect(await attach('third')).toMatch(/^10\.80\.41\./);
  });

  it('is requested again if the podCIDR of the last ADD is full, but the Node has another one', async () => {
    putNode('10.80.40.0/30');
    await attach('first');
    await writeFile(lease('10.80.40.2'), 'other\r\neth0');
    putNode('10.80.41.0/24');
    await using sandbox = await makeSandbox();
    const call = { sandboxPath: sandbox.path, containerId: 'second', pod: 'none', settings: RANGES } as const;
    expect(JSON.stringify(await node.succeed({ ...call, verb: 'ADD' }))).toContain('10.80.41.');
    await node.succeed({ ...call, verb: 'DEL' });
  });
});
