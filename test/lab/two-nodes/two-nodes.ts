import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startRelay } from '../../../scripts/demo/relay.ts';
import { startLoopbackApi, type LoopbackApi } from '../loopback-api/loopback-api.ts';
import { hostNamespace } from '../namespaces/network-namespace.ts';
import { startMachine, type Machine } from './machine.ts';

export type FamilyName = 'ipv4' | 'ipv6';
type PerFamily = Readonly<Record<FamilyName, string>>;

/** A node of the cluster, on its own machine. */
export interface ClusterNode {
  readonly name: string;
  readonly machine: Machine;
  /** Without prefix length. */
  readonly addresses: PerFamily;
  readonly podCidrs: PerFamily;
  /** On the machine: the executable's configuration, and host-local's folder. */
  readonly kubeconfigPath: string;
  readonly pluginFolder: string;
}

/** Two nodes on one network, which has the API server too. Nothing on it knows a way to pods. */
export interface TwoNodes extends AsyncDisposable {
  readonly api: LoopbackApi;
  readonly apiUrl: string;
  readonly nodes: readonly [ClusterNode, ClusterNode];
}

// What is the network's gateway as well, but forwards nothing. Addresses are of the documentation ranges.
const SWITCH = { name: 'switch', ipv4: '198.51.100.1', ipv6: '2001:db8:51::1' } as const;
const FAMILIES = [
  { name: 'ipv4', option: '-4', networkLength: 24, hostLength: 32 },
  { name: 'ipv6', option: '-6', networkLength: 64, hostLength: 128 },
] as const;

/** IPv6 only where the kernel has it. */
export function families(): readonly (typeof FAMILIES)[number][] {
  return FAMILIES.filter(({ name }) => name === 'ipv4' || existsSync('/proc/sys/net/ipv6'));
}

/** @param hostLocalPath copied to each node */
export async function startTwoNodes(hostLocalPath: string): Promise<TwoNodes> {
  await using started = new AsyncDisposableStack();
  await makeSwitch(started);
  const api = started.use(await startLoopbackApi({ token: 'a-token-of-no-worth', names: [SWITCH.ipv4] }));
  const relay = started.use(await startRelay({ host: SWITCH.ipv4, port: 0 }, { host: '127.0.0.1', port: api.port }));
  const apiUrl = `https://${SWITCH.ipv4}:${relay.port}`;
  const start = async (number: number): Promise<ClusterNode> => {
    const machine = started.use(await startMachine());
    const node = describeNode(number, machine);
    await connectToSwitch(node, started);
    await installOn(node, hostLocalPath);
    api.writeKubeconfig(join(machine.rootFolder, node.kubeconfigPath), { server: apiUrl });
    const podCIDRs = families().map(({ name }) => node.podCidrs[name]);
    api.putNode({ metadata: { name: node.name }, spec: { podCIDR: podCIDRs[0], podCIDRs } });
    return node;
  };
  const nodes = [await start(1), await start(2)] as const;
  const running = started.move();
  return { api, apiUrl, nodes, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function describeNode(number: number, machine: Machine): ClusterNode {
  return {
    name: `node-${number}`,
    machine,
    addresses: { ipv4: `198.51.100.1${number}`, ipv6: `2001:db8:51::1${number}` },
    podCidrs: { ipv4: `10.244.${number}.0/24`, ipv6: `fd00:10:244:${number}::/64` },
    kubeconfigPath: '/run/cni/podwire-kubeconfig',
    pluginFolder: '/run/cni/bin',
  };
}

async function makeSwitch(started: AsyncDisposableStack): Promise<void> {
  const host = hostNamespace();
  // Without snooping, which would ask first who wants to hear of neighbours.
  await host.ip('link', 'add', SWITCH.name, 'type', 'bridge', 'mcast_snooping', '0');
  started.defer(async () => void (await host.ip('link', 'delete', SWITCH.name)));
  await host.ip('link', 'set', SWITCH.name, 'addrgenmode', 'none', 'up');
  for (const { name, networkLength } of families()) {
    const words = name === 'ipv6' ? ['nodad'] : [];
    await host.ip('address', 'add', `${SWITCH[name]}/${networkLength}`, 'dev', SWITCH.name, ...words);
  }
}

async function connectToSwitch(
  { name, machine, addresses }: ClusterNode,
  started: AsyncDisposableStack,
): Promise<void> {
  const host = hostNamespace();
  const peer = ['peer', 'name', 'uplink', 'netns', String(machine.pid)];
  await host.ip('link', 'add', name, 'type', 'veth', ...peer);
  started.defer(async () => void (await host.ip('link', 'delete', name)));
  await host.ip('link', 'set', name, 'addrgenmode', 'none', 'master', SWITCH.name, 'up');
  // As on any node. Of IPv4 podwire does it too, interface by interface.
  await machine.exec('sysctl', '-q', 'net.ipv4.ip_forward=1');
  if (families().length > 1)
    await machine.exec('sysctl', '-q', 'net.ipv6.conf.all.forwarding=1', 'net.ipv6.conf.uplink.accept_dad=0');
  await machine.ip('link', 'set', 'uplink', 'up');
  for (const family of families()) {
    const gateway = SWITCH[family.name];
    const words = family.name === 'ipv6' ? ['nodad'] : [];
    await machine.ip('address', 'add', `${addresses[family.name]}/${family.networkLength}`, 'dev', 'uplink', ...words);
    // Without it a node does not answer its pods' ARP.
    await machine.ip(family.option, 'route', 'add', 'default', 'via', gateway);
  }
}

// A copy, because a plugin that others than root could write is not run, and we may be root only in here.
async function installOn({ machine, pluginFolder }: ClusterNode, hostLocalPath: string): Promise<void> {
  await machine.exec('install', '-D', '-m', '0755', hostLocalPath, join(pluginFolder, 'host-local'));
}
