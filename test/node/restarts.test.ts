import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';
import { applyDaemonSet, type DaemonSetPod } from '../support/kubelet/daemon-set.ts';
import { type NodeMachine, type NodeState, startNodeMachine } from '../support/kubelet/kubelet-node.ts';
import { phaseOf, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { until } from '../lab/until.ts';

let machine: NodeMachine;
let daemonSet: DaemonSetPod;
let untouched: NodeState;
let web: RunPod;

beforeAll(async () => {
  machine = await startNodeMachine();
  untouched = await machine.state();
  daemonSet = await applyDaemonSet(machine);
  web = await machine.pods.serve('web');
});
afterAll(() => machine[Symbol.asyncDispose]());

describe.each(['runtime', 'kubelet'] as const)('the %s is killed and started again', (part) => {
  let old: RunPod;
  let before: NodeState;

  beforeAll(async () => {
    before = await machine.state();
    old = await machine.pods.serve(`old-${part}`);
    await machine[part].restart();
    await machine.pods.nodeIsReady();
  });

  it('a pod from before still answers, with the addresses that it had', async () => {
    const [ipv4] = await web.addresses();
    expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
    const pod = await web.read();
    expect(phaseOf(pod)).toBe('Running');
    expect(restartsOf(pod)).toBe(0);
  });

  it('a new pod is attached, and reaches one from before', async () => {
    const [, ipv6] = await web.addresses();
    const command = `wget -q -O - 'http://[${ipv6}]:8080/'`;
    expect(await machine.pods.output(`new-${part}`, command)).toBe('hello\n');
  });

  it('a pod from before is deleted, and nothing of it is left', async () => {
    await old.delete();
    expect(await machine.state()).toEqual(before);
  });
});

describe('pods are deleted while the API server has them and no runtime runs', () => {
  it('their attachments go when it is back', async () => {
    const before = await machine.state();
    const pods = await Promise.all(['a', 'b', 'c'].map((name) => machine.pods.serve(`orphan-${name}`)));
    await machine.runtime.stop();
    const deletions = pods.map((pod) => pod.delete());
    await machine.runtime.restart();
    await Promise.all(deletions);
    expect(await machine.state()).toEqual(before);
  });
});

describe('the account is deleted and made again, which ends its tokens', () => {
  it('the DaemonSet writes a new kubeconfig, and pods are attached again', async () => {
    const { admin } = machine.cluster;
    const read = () => readFile('/etc/cni/net.d/podwire-kubeconfig', 'utf8');
    const old = await read();
    await admin.delete('/api/v1/namespaces/kube-system/serviceaccounts/podwire');
    await applyManifest(admin, readManifest('cni-conf/rbac.yaml'), 'keep');
    await until('the kubeconfig is another', async () => (await read()) !== old, {
      deadlineMs: 60_000,
      explain: () => daemonSet.tokenLog(),
    });
    const pod = await machine.pods.serve('rotated');
    expect(await pod.annotations()).toHaveProperty(['cni.projectcalico.org/podIP']);
    await pod.delete();
  });
});

describe('at the end', () => {
  it('nothing is left on the node', async () => {
    await web.delete();
    expect(await machine.state()).toEqual(untouched);
  });
});
