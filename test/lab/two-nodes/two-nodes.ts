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
  /** Addresses without prefix length. */
  readonly addresses: PerFamily;
  readonly podCidrs: PerFamily;
  /** Paths on the machine: of the executable's configuration, and of host-local's folder. */
  readonly kubeconfigPath: string;
  readonly pluginFolder: string;
}

/** Two nodes and an API server on one network, which has no routes to pods. */
export interface TwoNodes extends AsyncDisposable {
  readonly api: LoopbackApi;
  readonly apiUrl: string;
  readonly nodes: readonly [ClusterNode, ClusterNode];
}

// The bridge that connects the nodes. Its addresses are the gateways of the nodes, but it forwards nothing. All
// addresses are from the ranges for documentation.
const SWITCH = { name: 'switch', ipv4: '198.51.100.1', ipv6: '2001:db8:51::1' } as const;
const FAMILIES = [
  { name: 'ipv4', option: '-4', networkLength: 24, hostLength: 32 },
  { name: 'ipv6', option: '-6', networkLength: 64, hostLength: 128 },
] as const;

/** The families that the kernel supports. */
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
  // Multicast snooping would delay the first neighbor solicitations.
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
  // Every node forwards packets. For IPv4 podwire enables this too, for each interface.
  await machine.exec('sysctl', '-q', 'net.ipv4.ip_forward=1');
  if (families().length > 1)
    await machine.exec('sysctl', '-q', 'net.ipv6.conf.all.forwarding=1', 'net.ipv6.conf.uplink.accept_dad=0');
  await machine.ip('link', 'set', 'uplink', 'up');
  for (const family of families()) {
    const gateway = SWITCH[family.name];
    const words = family.name === 'ipv6' ? ['nodad'] : [];
    await machine.ip('address', 'add', `${addresses[family.name]}/${family.networkLength}`, 'dev', 'uplink', ...words);
    // Without a default route a node does not answer the ARP requests of its pods.
    await machine.ip(family.option, 'route', 'add', 'default', 'via', gateway);
  }
}

// A copy, because podwire does not run a plugin that users other than root can write, and this process may be root
// only in its user namespace.
async function installOn({ machine, pluginFolder }: ClusterNode, hostLocalPath: string): Promise<void> {
  await machine.exec('install', '-D', '-m', '0755', hostLocalPath, join(pluginFolder, 'host-local'));
}
