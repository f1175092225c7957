import { createHash } from 'node:crypto';
import { appendFile, copyFile, readFile, rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyDaemonSet, type DaemonSetPod } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';

const PROGRAM = '/opt/cni/bin/podwire';

let node: KubeletNode;
let daemonSet: DaemonSetPod;
let untouched: KubeletNodeState;

beforeAll(async () => {
  node = await startKubeletNode();
  untouched = await node.state();
  daemonSet = await applyDaemonSet(node);
});
afterAll(() => node[Symbol.asyncDispose]());

const digest = async () =>
  createHash('sha256')
    .update(await readFile(PROGRAM))
    .digest('hex');

// Another file in the same place, like an older version: bytes after the end of an executable do not change what it
// does.
async function placeOtherVersion(): Promise<void> {
  await copyFile(PROGRAM, `${PROGRAM}.other`);
  await appendFile(`${PROGRAM}.other`, 'another version');
  await rename(`${PROGRAM}.other`, PROGRAM);
}

describe('the DaemonSet is rolled out while pods come and go', () => {
  it('the program is replaced, each pod is attached by one or the other, and none fails', async () => {
    const current = await digest();
    await placeOtherVersion();
    expect(await digest()).not.toBe(current);
    const rounds = Array.from({ length: 20 }, async (_, index) => {
      const pod = await node.pods.serve(`upgraded-${index}`);
      await pod.delete();
    });
    await daemonSet.replace();
    await Promise.all(rounds);
    expect(await daemonSet.installerLog()).toMatch(/\/opt\/cni\/bin\/podwire: installed/);
    expect(await digest()).toBe(current);
    expect(await node.pods.events({ reason: 'FailedCreatePodSandBox' })).toEqual([]);
    expect(await node.pods.events({ reason: 'FailedKillPod' })).toEqual([]);
    expect(await node.state()).toEqual(untouched);
  });

  it('rolled out again, what is there already is left alone', async () => {
    await daemonSet.replace();
    expect(await daemonSet.installerLog()).toMatch(/\/opt\/cni\/bin\/podwire: (?!installed)/);
  });
});
