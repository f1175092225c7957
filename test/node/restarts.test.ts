import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';
import { applyDaemonSet, type DaemonSetPod } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, phaseOf, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { until } from '../lab/until.ts';

let node: KubeletNode;
let daemonSet: DaemonSetPod;
let untouched: KubeletNodeState;
let web: RunPod;

beforeAll(async () => {
  node = await startKubeletNode();
  untouched = await node.state();
  daemonSet = await applyDaemonSet(node, { renewalLimitSeconds: 5 });
  web = await node.pods.serve('web');
});
afterAll(() => node[Symbol.asyncDispose]());

describe.each(['runtime', 'kubelet'] as const)('the %s is killed and started again', (part) => {
  let old: RunPod;
  let before: KubeletNodeState;

  beforeAll(async () => {
    before = await node.state();
    old = await node.pods.serve(`old-${part}`);
    await node[part].restart();
    await node.pods.nodeIsReady();
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
    expect(await node.pods.output(`new-${part}`, command)).toBe('hello\n');
  });

  it('a pod from before is deleted, and nothing of it is left', async () => {
    await old.delete();
    expect(await node.state()).toEqual(before);
  });
});

describe('pods are deleted while the API server has them and no runtime runs', () => {
  it('their attachments go when it is back', async () => {
    const before = await node.state();
    const pods = await Promise.all(['a', 'b', 'c'].map((name) => node.pods.serve(`orphan-${name}`)));
    await node.runtime.stop();
    const deletions = pods.map((pod) => pod.delete());
    await node.runtime.restart();
    await Promise.all(deletions);
    expect(await node.state()).toEqual(before);
  });
});

describe('the account is deleted and made again, which ends its tokens', () => {
  it('the DaemonSet writes a new kubeconfig, and pods are attached again', async () => {
    const { admin } = node.cluster;
    const read = () => readFile('/etc/cni/net.d/podwire-kubeconfig', 'utf8');
    const old = await read();
    await admin.delete('/api/v1/namespaces/kube-system/serviceaccounts/podwire');
    await applyManifest(admin, readManifest('cni-conf/rbac.yaml'), 'keep');
    await until('the kubeconfig is another', async () => (await read()) !== old, {
      deadlineMs: 60_000,
      explain: () => daemonSet.tokenLog(),
    });
    const pod = await node.pods.serve('rotated');
    expect(await pod.annotations()).toHaveProperty(['cni.projectcalico.org/podIP']);
    await pod.delete();
  });
});

describe('the RoleBinding with which the DaemonSet renews the token is deleted', () => {
  const binding = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings/podwire-installer';

  it('its pod is not ready, an event says why, and it is ready again without a restart when the RoleBinding is back', async () => {
    const { admin } = node.cluster;
    const pod = daemonSet.pod();
    const before = restartsOf(await pod.until('is ready', isReady));
    await admin.delete(binding);
    await pod.until('is not ready', (state) => !isReady(state));
    const reasons = await node.pods.events({ pod: pod.name, reason: 'Unhealthy' });
    expect(reasons.at(-1)).toMatch(
      /^Readiness probe failed: .* is not permitted to create serviceaccounts\/token \(403\)/,
    );
    await applyManifest(admin, readManifest('cni-conf/rbac.yaml'), 'keep');
    const after = await pod.until('is ready', isReady, 90_000);
    expect(restartsOf(after)).toBe(before);
  });
});

describe('at the end', () => {
  it('nothing is left on the node', async () => {
    await web.delete();
    expect(await node.state()).toEqual(untouched);
  });
});
