import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { rebootNode } from '../support/kubelet/reboot.ts';

let node: KubeletNode;
let untouched: KubeletNodeState;
let before: KubeletNodeState;
let kept: readonly RunPod[];

beforeAll(async () => {
  node = await startKubeletNode();
  untouched = await node.state();
  await applyDaemonSet(node);
  kept = await Promise.all(
    ['a', 'b', 'c'].map((name) => node.pods.serve(`kept-${name}`, {}, { restartPolicy: 'Always' })),
  );
  before = await node.state();
  await rebootNode(node);
});
afterAll(() => node[Symbol.asyncDispose]());

it('the pods of before are attached again, and nothing is left of their old attachments', async () => {
  await Promise.all(kept.map((pod) => pod.until('is ready again', (state) => restartsOf(state) > 0 && isReady(state))));
  const after = await node.state();
  expect(count(after)).toEqual(count(before));
  for (const pod of kept) {
    const [ipv4] = await pod.addresses();
    expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${ipv4}/32` });
  }
});

it('nothing is left once they are deleted', async () => {
  await Promise.all(kept.map((pod) => pod.delete()));
  expect(await node.state()).toEqual(untouched);
});

function count(state: KubeletNodeState): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(state).map(([key, lines]) => [key, lines.length]));
}
