import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { attachPod, makeTestPod } from '../support/nodes/test-pod.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

const OTHER_UID = '00000000-0000-4000-8000-000000000000';
const POD_IP = 'cni.projectcalico.org/podIP';

describe('the pod of a sandbox', () => {
  it('is refused at ADD if the API has another pod of its name, and nothing is left', async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, pod: { ...pod.call.pod, uid: OTHER_UID } };
    const refused = await node.run({ ...call, verb: 'ADD', config: node.netconf() });
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: {
        code: 100,
        msg: expect.stringContaining('another pod default/pod-1'),
        details: expect.stringContaining(OTHER_UID),
      },
    });
    expect(await pod.annotations()).toEqual({});
  });

  it('is refused at ADD if the API does not have it', async () => {
    await using sandbox = await makeSandbox();
    const call = { sandboxPath: sandbox.path, pod: { namespace: 'default', name: 'gone' } };
    const refused = await node.run({ ...call, verb: 'ADD', config: node.netconf() });
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: { code: 100, msg: expect.stringContaining('the API server has no pod default/gone') },
    });
  });

  it('can come without a uid, which not every runtime sends', async () => {
    await using pod = await makeTestPod(node);
    const { namespace, name } = pod;
    const call = { ...pod.call, pod: { namespace, name }, config: node.netconf() };
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/containerID': call.containerId });
    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: '' });
  });

  it('can be a static pod, whose uid is an annotation of its mirror pod', async () => {
    const uidOnNode = '0123456789abcdef0123456789abcdef';
    await using pod = await makeTestPod(node, {
      namespace: 'kube-system',
      name: 'kube-proxy-node-1',
      annotations: { 'kubernetes.io/config.mirror': uidOnNode },
    });
    const call = { ...pod.call, pod: { ...pod.call.pod, uid: uidOnNode }, config: node.netconf() };
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/containerID': call.containerId });
    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: '' });
  });

  it('is named in its host interface with its namespace, so pods of one name do not collide', async () => {
    await using one = await attachPod(node, { namespace: 'blue', name: 'web' });
    await using made = await makeTestPod(node, { namespace: 'green', name: 'web' });
    const call = { ...made.call, containerId: 'id-of-green', config: node.netconf() };
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.hostInterface).not.toBe(one.hostInterface);
    for (const name of [one.hostInterface, made.hostInterface]) {
      expect(await hostNamespace().ip('link', 'show', name)).toHaveLength(1);
    }
    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await one.annotations()).toMatchObject({ [POD_IP]: `${one.ipv4}/32` });
  });

  it.each([
    ['a dotted name', 'web.example.com'],
    ['a name of 253 characters', 'a'.repeat(63).concat(`.${'b'.repeat(63)}`.repeat(2), `.${'c'.repeat(61)}`)],
  ])('can have %s', async (_, name) => {
    await using pod = await makeTestPod(node, { name });
    const call = { ...pod.call, containerId: 'of-a-long-name', config: node.netconf() };
    const added = await node.run({ ...call, verb: 'ADD' });
    const removed = await node.run({ ...call, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0, answer: { interfaces: [{ name: pod.hostInterface }, {}] }, stderr: '' });
    expect(removed).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('a DEL clears no endpoint', () => {
  it('of a pod that has taken the name since', async () => {
    await using pod = await attachPod(node);
    const call = { ...pod.call, pod: { ...pod.call.pod, uid: OTHER_UID } };
    expect(await node.run({ ...call, verb: 'DEL', config: node.netconf() })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: `${pod.ipv4}/32` });
  });

  it('that another container has written', async () => {
    await using pod = await attachPod(node);
    const call = { ...pod.call, containerId: 'another' };
    expect(await node.run({ ...call, verb: 'DEL', sandboxPath: '', config: node.netconf() })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: `${pod.ipv4}/32` });
    expect(await hostNamespace().ip('link', 'show', pod.hostInterface)).toHaveLength(1);
    expect(await node.state()).toMatchObject({ leases: [`k8s-pod-network/${pod.ipv4} ${pod.call.containerId} eth0`] });
  });

  it('of a pod on another node', async () => {
    await using pod = await attachPod(node);
    const config = node.netconf({ nodename: 'node-2' });
    expect(await node.run({ ...pod.call, verb: 'DEL', config })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: `${pod.ipv4}/32` });
  });

  it('if the pod is gone, and succeeds', async () => {
    const made = await makeTestPod(node);
    const call = { ...made.call, config: node.netconf() };
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({ exitCode: 0 });
    await made[Symbol.asyncDispose]();
    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.run({ ...call, verb: 'DEL', sandboxPath: '' })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });
});
