import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { type NodeMachine, type NodeState, startNodeMachine } from '../support/kubelet/kubelet-node.ts';
import { isReady, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { rebootNode } from '../support/kubelet/reboot.ts';

let machine: NodeMachine;
let untouched: NodeState;
let before: NodeState;
let kept: readonly RunPod[];

beforeAll(async () => {
  machine = await startNodeMachine();
  untouched = await machine.state();
  await applyDaemonSet(machine);
  kept = await Promise.all(
    ['a', 'b', 'c'].map((name) => machine.pods.serve(`kept-${name}`, {}, { restartPolicy: 'Always' })),
  );
  before = await machine.state();
  await rebootNode(machine);
});
afterAll(() => machine[Symbol.asyncDispose]());

it('the pods of before are attached again, and nothing is left of their old attachments', async () => {
  await Promise.all(kept.map((pod) => pod.until('is ready again', (state) => restartsOf(state) > 0 && isReady(state))));
  const after = await machine.state();
  expect(count(after)).toEqual(count(before));
  for (const pod of kept) {
    const [ipv4] = await pod.addresses();
    expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${ipv4}/32` });
  }
});

it('nothing is left once they are deleted', async () => {
  await Promise.all(kept.map((pod) => pod.delete()));
  expect(await machine.state()).toEqual(untouched);
});

function count(state: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => [key, Array.isArray(value) ? value.length : value]),
  );
}
