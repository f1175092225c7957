import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';
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
