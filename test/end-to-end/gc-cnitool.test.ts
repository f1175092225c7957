import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCnitool } from '../support/programs/cnitool.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { JOURNAL } from '../support/nodes/node-state.ts';
import { formatCniArgs } from '../lab/runtime-call.ts';

const NETWORK = 'collected';
const CACHE = '/var/lib/cni/results';

let node: LoopbackNode;
beforeAll(async () => {
  node = await startLoopbackNode();
});
afterAll(() => node[Symbol.asyncDispose]());

const environmentOf = ({ call: { pod } }: LoopbackPod) => ({
  CNI_ARGS: formatCniArgs(pod),
});

describe.each(['host-local', 'host-local-1.1.1'] as const)('libcni’s GC, by cnitool, with %s', (hostLocal) => {
  it.each([
    ['DELs what its cache knows', false],
    ['leaves it to ours where its cache is lost', true],
  ])('%s, and nothing is left', async (_, isCacheLost) => {
    await using cnitool = await makeCnitool(hostLocal);
    const { cniVersion: _version, name: _name, ...podwire } = node.netconf();
    await cnitool.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [podwire] });
    const before = await node.state();
    await using pod = await makeLoopbackPod(node, 'collected');
    expect(await cnitool.run('add', NETWORK, pod.sandbox, environmentOf(pod))).toMatchObject({ exitCode: 0 });
    expect(await node.leases()).toHaveLength(2);
    expect(await readdir(CACHE)).toHaveLength(1);
    if (isCacheLost) await rename(CACHE, `${CACHE}-lost`);

    // cnitool passes no list of valid attachments, and without a list GC deletes nothing.
    const collected = await cnitool.run('gc', NETWORK, pod.sandbox);
    expect(collected.exitCode).toBe(0);
    expect(collected.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/WARNING GC without a list of valid attachments/),
    ]);
    if (isCacheLost) {
      expect(await node.leases()).toHaveLength(2);
      expect(await cnitool.run('status', NETWORK, pod.sandbox)).toMatchObject({ exitCode: 0 });
      const config = { ...podwire, cniVersion: '1.1.0', name: NETWORK, 'cni.dev/valid-attachments': [] };
      expect(await node.run({ verb: 'GC', config })).toMatchObject({ exitCode: 0 });
      await rm(`${CACHE}-lost`, { recursive: true });
    }
    expect(await node.state()).toEqual(before);
    expect(await node.leases()).toEqual([]);
    expect(pod.endpoint()).toEqual({});
    expect((await readdir(join(JOURNAL, NETWORK))).filter((name) => name !== 'swept-boot')).toEqual([]);
  });
});
