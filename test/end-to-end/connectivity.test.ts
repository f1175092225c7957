import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { hostNamespace, type NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { connectFrom, listenIn } from '../lab/api-server/tcp-peer.ts';
import { attachPod } from '../support/nodes/test-pod.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { forwardOnNode } from '../support/kubelet/machine-settings.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

// The address of the uplink that scripts/in-private-namespace.sh creates.
const NODE = { ipv4: '192.0.2.10', ipv6: '2001:db8::10' } as const;
const PORT = 8000;

const STACKS = {
  'IPv4 alone': { ipam: { ranges: [] }, families: ['ipv4'] },
  'IPv6 alone': { ipam: { subnet: 'usePodCidrIPv6' }, families: ['ipv6'] },
  'dual stack': { ipam: { ranges: [[{ subnet: 'usePodCidrIPv6' }]] }, families: ['ipv4', 'ipv6'] },
} as const satisfies Readonly<Record<string, { ipam: JsonObject; families: readonly ('ipv4' | 'ipv6')[] }>>;

let node: ApiServerNode;
let forwarding: AsyncDisposable;
beforeAll(async () => {
  node = await startApiServerNode();
  forwarding = await forwardOnNode();
});
afterAll(async () => {
  await forwarding[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

expectNoLeftovers(() => node);

describe.each(Object.entries(STACKS))('%s', (_, { ipam, families }) => {
  const config = () => node.netconf({ ipam });

  it.each(families)('two pods of one node and the node reach each other by ping: %s', async (family) => {
    await using one = await attachPod(node, { name: 'one', config: config() });
    await using other = await attachPod(node, { name: 'other', config: config() });
    const host = hostNamespace();
    expect(await ping(one.sandbox, other[family])).toBe('1 received');
    expect(await ping(other.sandbox, one[family])).toBe('1 received');
    expect(await ping(one.sandbox, NODE[family])).toBe('1 received');
    expect(await ping(host, one[family])).toBe('1 received');
    expect(await ping(host, other[family])).toBe('1 received');
  });

  it.each(families)('connections carry the pods’ own addresses: %s', async (family) => {
    await using one = await attachPod(node, { name: 'one', config: config() });
    await using other = await attachPod(node, { name: 'other', config: config() });
    const host = hostNamespace();
    await using servers = new AsyncDisposableStack();
    servers.use(await listenIn(other.sandbox, PORT));
    servers.use(await listenIn(host, PORT));
    expect(await connectFrom(one.sandbox, other[family], PORT)).toBe(one[family]);
    expect(await connectFrom(one.sandbox, NODE[family], PORT)).toBe(one[family]);
    expect(await connectFrom(host, other[family], PORT)).toBe(NODE[family]);
    expect(await connectFrom(other.sandbox, other[family], PORT)).toBe(other[family]);
  });
});

describe('a family that the pod was not given', () => {
  it('IPv6: no address but link-local ones, and no route', async () => {
    await using pod = await attachPod(node);
    expect(await globalAddresses(pod.sandbox, '-6')).toEqual([]);
    expect(await pod.sandbox.ip('-6', 'route', 'show', 'default')).toEqual([]);
    await expect(ping(pod.sandbox, NODE.ipv6)).rejects.toThrow(/ping: connect: /);
  });

  it('IPv4: no address and no route', async () => {
    await using pod = await attachPod(node, { config: node.netconf({ ipam: STACKS['IPv6 alone'].ipam }) });
    expect(await globalAddresses(pod.sandbox, '-4')).toEqual([]);
    expect(await pod.sandbox.ip('-4', 'route')).toEqual([]);
    await expect(ping(pod.sandbox, NODE.ipv4)).rejects.toThrow(/ping: connect: /);
  });
});

describe('an MTU larger than the default', () => {
  it('carries packets of its size between two pods without fragments', async () => {
    const config = node.netconf({ mtu: 9000 });
    await using one = await attachPod(node, { name: 'one', config });
    await using other = await attachPod(node, { name: 'other', config });
    const ipAndIcmpHeaders = 28;
    const mtuBytes = 9000;
    const largest = await ping(one.sandbox, other.ipv4, '-M', 'do', '-s', String(mtuBytes - ipAndIcmpHeaders));
    expect(largest).toBe('1 received');
    await expect(ping(one.sandbox, other.ipv4, '-M', 'do', '-s', String(mtuBytes))).rejects.toThrow(/ping/);
  });
});

// The first packet must be answered: a pod's first connection must not wait.
async function ping(from: NetworkNamespace, address: string, ...options: readonly string[]): Promise<string> {
  const said = await from.exec('ping', '-n', '-c', '1', '-W', '5', ...options, address);
  return /\d+ received/.exec(said)?.[0] ?? said;
}

async function globalAddresses(namespace: NetworkNamespace, family: '-4' | '-6'): Promise<readonly unknown[]> {
  return namespace.ip(family, 'address', 'show', 'scope', 'global');
}
