import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeCnitool, type Cnitool } from '../support/programs/cnitool.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { formatCniArgs } from '../lab/runtime-call.ts';

const NETWORK = 'chained';
let node: LoopbackNode;
let cnitool: Cnitool;
beforeAll(async () => {
  [node, cnitool] = [await startLoopbackNode(), await makeCnitool()];
});
afterAll(async () => {
  await cnitool[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

const TUNING = {
  type: 'tuning',
  mac: '02:00:00:00:00:42',
  mtu: 1300,
  sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' },
};
const BANDWIDTH = {
  type: 'bandwidth',
  ingressRate: 8_000_000,
  ingressBurst: 800_000,
  egressRate: 8_000_000,
  egressBurst: 800_000,
};
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true }, snat: true };
const PORTS = JSON.stringify({ portMappings: [{ hostPort: 8081, containerPort: 80, protocol: 'tcp' }] });

async function configure(cniVersion: string, chained: readonly JsonObject[]): Promise<void> {
  const { cniVersion: _version, name: _name, ...podwire } = node.netconf({ mtu: 1400 });
  await cnitool.configure({ cniVersion, name: NETWORK, plugins: [podwire, ...chained] });
}

const environmentOf = ({ call: { pod } }: LoopbackPod) => ({
  CNI_ARGS: formatCniArgs(pod),
  CAP_ARGS: PORTS,
});

describe('cnitool check, which compares with the cached result of the whole chain,', () => {
  const CHAINS = [
    ['tuning, which changes MAC, MTU and a setting', TUNING],
    ['bandwidth', BANDWIDTH],
    ['portmap', PORTMAP],
    ['all three', TUNING, BANDWIDTH, PORTMAP],
  ] as const;
  // If all three fail, each plugin alone shows which one causes it.
  const CASES = [
    ...CHAINS.map(([name, ...chain]) => ['1.1.0', name, chain] as const),
    ...['0.4.0', '1.0.0'].map((version) => [version, 'all three', [TUNING, BANDWIDTH, PORTMAP]] as const),
  ];
  it.each(CASES)('%s: succeeds after %s, and then reports damage', async (cniVersion, _, chain) => {
    await using pod = await makeLoopbackPod(node, 'chained');
    await configure(cniVersion, chain);
    const environment = environmentOf(pod);
    await using attachments = new AsyncDisposableStack();
    attachments.defer(async () => void (await cnitool.run('del', NETWORK, pod.sandbox, environment)));
    expect(await cnitool.run('add', NETWORK, pod.sandbox, environment)).toMatchObject({ exitCode: 0 });
    expect(await cnitool.run('check', NETWORK, pod.sandbox, environment)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });

    await hostNamespace().exec('ip', 'link', 'set', pod.hostInterface, 'mtu', '1350');
    const checked = await cnitool.run('check', NETWORK, pod.sandbox, environment);
    expect(checked.exitCode).toBe(1);
    expect(checked.stderr).toContain(`MTU of ${pod.hostInterface} (host): expected 1400, got 1350`);
  });
});
