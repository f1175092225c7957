import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostNamespace, makeSandbox, type NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { connectFrom, listenIn } from '../lab/api-server/tcp-peer.ts';
import { attachPod, makeTestPod } from '../support/nodes/test-pod.ts';
import { member } from '../lab/member.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

const POD_IP = 'cni.projectcalico.org/podIP';
const CONTAINER_ID = 'cni.projectcalico.org/containerID';

describe('FELIX_INTERFACEPREFIX', () => {
  it.each([
    ['fred', 'fred'],
    ['x', 'x'],
    ['tap,eth', 'tap'],
  ])('%s is the host interface’s first characters', async (value, prefix) => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, config: node.netconf(), environment: { FELIX_INTERFACEPREFIX: value } };
    const name = pod.hostInterface.replace('cali', prefix);
    const added = await node.run({ ...call, verb: 'ADD' });
    const links = await hostNamespace().ip('link', 'show', name);
    const removed = await node.run({ ...call, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0, answer: { interfaces: [{ name }, {}] }, stderr: '' });
    expect(links).toHaveLength(1);
    expect(removed).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('of more than four characters is refused with code 4', async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, config: node.netconf(), environment: { FELIX_INTERFACEPREFIX: 'calico' } };
    const refused = await node.run({ ...call, verb: 'ADD' });
    expect(refused).toMatchObject({ exitCode: 1, answer: { code: 4, msg: expect.stringContaining('"calico"') } });
  });
});

describe('a second network of the same pod', () => {
  it.each([
    ['IPv4', { routes: [{ dst: '10.99.0.0/16' }] }],
    ['IPv6', { subnet: 'usePodCidrIPv6', routes: [{ dst: 'fd99::/64' }] }],
    ['both', { ranges: [[{ subnet: 'usePodCidrIPv6' }]], routes: [{ dst: '10.99.0.0/16' }, { dst: 'fd99::/64' }] }],
  ])('is an interface beside the first, and no endpoint: %s', async (_, ipam) => {
    await using pod = await attachPod(node, {
      config: node.netconf({ ipam: { ranges: [[{ subnet: 'usePodCidrIPv6' }]] } }),
    });
    const call = { ...pod.call, config: node.netconf({ name: 'second', ipam }), interfaceName: 'net1' };
    const written = await pod.annotations();
    const name = `cali${hash('sha1', `${pod.namespace}.${pod.name}/net1`).slice(0, 11)}`;

    const added = await node.run({ ...call, verb: 'ADD' });
    const names = [await namesIn(hostNamespace()), await namesIn(pod.sandbox)];
    const annotations = await pod.annotations();
    const removed = await node.run({ ...call, verb: 'DEL' });

    expect(added).toMatchObject({
      exitCode: 0,
      answer: { interfaces: [{ name }, { name: 'net1', sandbox: pod.sandbox.path }] },
      stderr: '',
    });
    expect(names).toEqual([expect.arrayContaining([name, pod.hostInterface]), ['eth0', 'net1']]);
    expect(annotations).toEqual(written);
    expect(removed).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await namesIn(pod.sandbox)).toEqual(['eth0']);
    expect(await pod.annotations()).toEqual(written);
  });

  it('is refused under a name that the sandbox already has, and nothing changes', async () => {
    await using pod = await attachPod(node);
    const before = await node.state();
    const refused = await node.run({ ...pod.call, verb: 'ADD', config: node.netconf({ name: 'second' }) });
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: { code: 103, msg: expect.stringContaining('already has an interface eth0') },
    });
    expect(await node.state()).toEqual(before);
    expect(await pod.annotations()).toMatchObject({ [POD_IP]: `${pod.ipv4}/32` });
  });
});

describe('a second interface of a container without a pod', () => {
  it('does not remove the first one', async () => {
    await using sandbox = await makeSandbox();
    const call = { containerId: 'no-pod-at-all', sandboxPath: sandbox.path };
    const first = { ...call, interfaceName: 'eth0', config: node.netconf() };
    const second = {
      ...call,
      interfaceName: 'net1',
      config: node.netconf({ name: 'second', ipam: { routes: [{ dst: '10.99.0.0/16' }] } }),
    };
    const added = await node.run({ ...first, verb: 'ADD' });
    const addedBeside = await node.run({ ...second, verb: 'ADD' });
    const names = await namesIn(sandbox);
    for (const each of [second, first]) await node.run({ ...each, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0 });
    expect(names).toEqual(addedBeside.exitCode === 0 ? ['eth0', 'net1'] : ['eth0']);
  });
});

describe('two containers without a pod, the first eleven characters of whose ids are the same', () => {
  it('do not remove each other’s interface', async () => {
    await using one = await makeSandbox();
    await using other = await makeSandbox();
    const config = node.netconf();
    const first = { containerId: 'cnitool-0123456789', sandboxPath: one.path, config };
    const second = { containerId: 'cnitool-0129999999', sandboxPath: other.path, config };
    const added = await node.run({ ...first, verb: 'ADD' });
    const addedBeside = await node.run({ ...second, verb: 'ADD' });
    const names = [await namesIn(one), await namesIn(other)];
    for (const each of [first, second]) await node.run({ ...each, verb: 'DEL' });
    expect(added).toMatchObject({ exitCode: 0 });
    expect(names).toEqual([['eth0'], addedBeside.exitCode === 0 ? ['eth0'] : []]);
  });
});

describe('a new sandbox of the same pod, while the old one is still there', () => {
  it('replaces the host interface, and the old sandbox’s DEL does not change it', async () => {
    await using pod = await attachPod(node);
    await using sandbox = await makeSandbox();
    const call = { ...pod.call, config: node.netconf() };
    const renewed = { ...call, containerId: 'renewed', sandboxPath: sandbox.path };

    const added = await node.run({ ...renewed, verb: 'ADD' });
    expect(added).toMatchObject({
      exitCode: 0,
      answer: { interfaces: [{ name: pod.hostInterface }, { sandbox: sandbox.path }] },
      stderr: expect.stringMatching(/^\S+ WARNING replacing host interface[^\n]*\n$/),
    });
    const [address = ''] = addressesIn(added.answer);
    expect(await namesIn(pod.sandbox)).toEqual([]);

    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [CONTAINER_ID]: 'renewed', [POD_IP]: `${address}/32` });
    expect(await node.state()).toMatchObject({ leases: [`k8s-pod-network/${address} renewed eth0`] });
    {
      await using servers = new AsyncDisposableStack();
      servers.use(await listenIn(sandbox, 8000));
      expect(await connectFrom(hostNamespace(), address, 8000)).toBe('192.0.2.10');
    }
    expect(await node.run({ ...renewed, verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [CONTAINER_ID]: 'renewed', [POD_IP]: '' });
  });

  it('is distinguished from an interface that belongs to no pod: that is refused and stays', async () => {
    await using pod = await makeTestPod(node);
    const host = hostNamespace();
    await host.ip('link', 'add', pod.hostInterface, 'type', 'bridge');
    const refused = await node.run({ ...pod.call, verb: 'ADD', config: node.netconf() });
    const found = await host.ip('link', 'show', pod.hostInterface);
    await host.ip('link', 'delete', pod.hostInterface);
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: { code: 103, msg: expect.stringContaining(pod.hostInterface) },
    });
    expect(found).toHaveLength(1);
  });
});

async function namesIn(namespace: NetworkNamespace): Promise<readonly string[]> {
  const links = await namespace.ip('link', 'show', 'type', 'veth');
  return links.map((link) => String(member(link, 'ifname'))).toSorted();
}
