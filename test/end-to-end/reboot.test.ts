import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeBoot, type Boot } from '../support/nodes/boot.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import type { EndedExecutable } from '../lab/run-executable.ts';
import { memberText } from '../lab/member.ts';
import type { NodeState } from '../support/nodes/node-state.ts';

let node: LoopbackNode;
let before: NodeState;
let pods: AsyncDisposableStack;
beforeAll(async () => {
  node = await startLoopbackNode();
});
beforeEach(async () => {
  before = await node.state();
  pods = new AsyncDisposableStack();
  return async () => {
    await pods.disposeAsync();
    await node.run({ verb: 'GC', config: node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] }) });
    expect(await node.state()).toEqual(before);
  };
});
afterAll(() => node[Symbol.asyncDispose]());

const makePods = async (...names: readonly string[]) =>
  Promise.all(names.map(async (name) => pods.use(await makeLoopbackPod(node, name))));
const add = (pod: LoopbackPod, boot: Boot, pluginPath = node.pluginPath) =>
  node.run({ verb: 'ADD', config: node.netconf(), within: boot.within, pluginPath, ...pod.call });
const leasesOf = async (...owners: readonly LoopbackPod[]) =>
  (await node.leases()).filter((lease) => owners.some(({ containerId }) => lease.includes(`${containerId} `))).length;

/** Attaches pods in a boot that then ends: links and sandboxes are removed, files on the disk stay. */
async function attachUntilReboot(...names: readonly string[]): Promise<readonly LoopbackPod[]> {
  const boot = makeBoot(node.folder);
  const attached = await makePods(...names);
  for (const pod of attached) expect(await add(pod, boot)).toMatchObject({ exitCode: 0 });
  for (const { hostInterface, sandbox } of attached) {
    await hostNamespace().exec('ip', 'link', 'del', hostInterface);
    await sandbox.remove();
  }
  expect(await leasesOf(...attached)).toBe(2 * attached.length);
  return attached;
}

const succeeded = ({ exitCode }: EndedExecutable) => exitCode === 0;

describe('after a reboot', () => {
  it('the first ADD releases the leases and removes the records of the boot before, and the second has nothing to do', async ({
    task,
  }) => {
    const earlier = await attachUntilReboot('old-1', 'old-2', 'old-3');
    const boot = makeBoot(node.folder);
    const [first, second] = await makePods('new-1', 'new-2');
    if (first === undefined || second === undefined) throw new Error('unreachable');
    const added = await add(first, boot);
    expect(added).toMatchObject({ exitCode: 0 });
    expect(await leasesOf(...earlier)).toBe(0);
    expect(await leasesOf(first)).toBe(2);
    expect(JSON.stringify((await node.state()).records)).not.toMatch(/old-\d@eth0\.record/);
    expect(await add(second, boot)).toMatchObject({ exitCode: 0, stderr: '' });
    recordFigure(task, {
      fault: 'a reboot with leases left on disk',
      promise: 'the first ADD releases them',
      measured: `${2 * earlier.length} leases of ${earlier.length} pods, 0 left after 1 ADD`,
    });
  });

  it('a DEL of a pod of the boot before releases its lease', async () => {
    const [pod] = await attachUntilReboot('old');
    const boot = makeBoot(node.folder);
    expect(
      await node.run({ verb: 'DEL', config: node.netconf(), within: boot.within, ...pod?.call, sandboxPath: '' }),
    ).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });

  it('GC releases what is not listed, with and without an earlier sweep', async () => {
    const earlier = await attachUntilReboot('old-1', 'old-2');
    const boot = makeBoot(node.folder);
    const config = node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] });
    expect(await node.run({ verb: 'GC', config, within: boot.within })).toMatchObject({ exitCode: 0 });
    expect(await leasesOf(...earlier)).toBe(0);
    expect(await node.state()).toEqual(before);
  });

  it('six first ADDs at once succeed, and each old lease is released', async () => {
    const earlier = await attachUntilReboot('old-1', 'old-2');
    const boot = makeBoot(node.folder);
    const fresh = await makePods('n-1', 'n-2', 'n-3', 'n-4', 'n-5', 'n-6');
    const ended = await Promise.all(fresh.map((pod) => add(pod, boot)));
    expect(ended.filter((one) => !succeeded(one))).toEqual([]);
    expect(await leasesOf(...earlier)).toBe(0);
    expect(await leasesOf(...fresh)).toBe(12);
  });

  it('a later ADD of the same boot does not sweep again', async () => {
    await attachUntilReboot('old-1');
    const boot = makeBoot(node.folder);
    const folder = fakeDelegate(`printf '%s' "$stdin" | ${node.pluginPath}/host-local`, { name: 'host-local' });
    for (const pod of await makePods('n-1', 'n-2', 'n-3'))
      expect(await add(pod, boot, folder)).toMatchObject({ exitCode: 0 });
    const calls = readFileSync(join(folder, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(calls).toEqual(['DEL', 'ADD', 'ADD', 'ADD']);
    rmSync(folder, { recursive: true });
  });

  it('the sweep of a killed ADD is finished by the next ADD', async () => {
    const earlier = await attachUntilReboot('old-1', 'old-2', 'old-3');
    const boot = makeBoot(node.folder);
    // The second lease that it would release: it dies in the middle, by its own delegate's hand.
    const script = `if [ "$CNI_COMMAND" = DEL ] && ! mkdir "$(dirname "$0")/first" 2>/dev/null; then kill -KILL $PPID; exit 1; fi; printf '%s' "$stdin" | ${node.pluginPath}/host-local`;
    const folder = fakeDelegate(script, { name: 'host-local' });
    const [first, second] = await makePods('new-1', 'new-2');
    if (first === undefined || second === undefined) throw new Error('unreachable');
    expect(await add(first, boot, folder)).toMatchObject({ signal: 'SIGKILL' });
    expect(await leasesOf(...earlier)).toBe(4);
    expect(await add(second, boot)).toMatchObject({ exitCode: 0 });
    expect(await leasesOf(...earlier)).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('a record of this boot that is damaged, its pod alive, is kept when the sweep comes late', async () => {
    const boot = makeBoot(node.folder);
    const [living, next] = await makePods('living', 'next');
    if (living === undefined || next === undefined) throw new Error('unreachable');
    expect(await add(living, boot)).toMatchObject({ exitCode: 0 });
    const network = `/var/lib/podwire/networks/${memberText(node.netconf(), 'name')}`;
    rmSync(join(network, 'swept-boot')); // as where the disk was full when it was to be written
    writeFileSync(join(network, `${living.containerId}@eth0.record.json`), '');
    expect(await add(next, boot)).toMatchObject({ exitCode: 0 });
    expect(await leasesOf(living)).toBe(2);
    expect(await node.run({ verb: 'DEL', config: node.netconf(), within: boot.within, ...living.call })).toMatchObject({
      exitCode: 0,
    });
  });
});

describe('after a restart of a node that is a container, where the boot id stays the same', () => {
  // In its new network namespace the test's API server cannot be reached.
  const call = (pod: LoopbackPod) => ({
    ...pod.call,
    config: node.netconf({ ipam: { ranges: [[{ subnet: '10.74.0.0/24' }]] } }),
    environment: { CNI_ARGS: undefined },
  });

  it('the first ADD releases the leases of the containers before', async () => {
    const [old, fresh] = await makePods('old', 'fresh');
    if (old === undefined || fresh === undefined) throw new Error('unreachable');
    expect(await node.run({ verb: 'ADD', ...call(old) })).toMatchObject({ exitCode: 0 });
    const added = await node.run({ verb: 'ADD', ...call(fresh), within: ['unshare', '--net'] });
    expect(added).toMatchObject({ exitCode: 0 });
    expect([await leasesOf(old), await leasesOf(fresh)]).toEqual([0, 1]);
  });

  it('an ADD from another PID namespace of the same boot keeps the leases of the others', async () => {
    const [living, fresh] = await makePods('living', 'fresh');
    if (living === undefined || fresh === undefined) throw new Error('unreachable');
    expect(await node.run({ verb: 'ADD', ...call(living) })).toMatchObject({ exitCode: 0 });
    const within = ['unshare', '--pid', '--fork', '--mount-proc'];
    expect(await node.run({ verb: 'ADD', ...call(fresh), within })).toMatchObject({ exitCode: 0 });
    expect([await leasesOf(living), await leasesOf(fresh)]).toEqual([1, 1]);
  });
});
