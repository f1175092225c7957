import { formatCidr, parseCidr, hostCidr, networkOf, type Cidr } from '../address/cidr.ts';
import { FAMILIES, type Family } from '../address/family.ts';
import { parseIpAddress, type IpAddress } from '../address/ip-address.ts';
import { parseMacAddress, type MacAddress } from '../address/mac-address.ts';
import { isJsonList, isJsonObject } from '../json/json.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { isFirstNetwork, type Attachment } from './attachment.ts';
import type { Place, Route, Step, StepOf } from './step.ts';

/** Everything that the steps of one attachment depend on. */
export interface AttachmentFacts {
  readonly attachment: Pick<Attachment, 'id' | 'hostInterface'>;
  readonly config: Pick<NetworkConfig, 'queueCount' | 'includeDefaultRoutes' | 'allowIpForwarding'>;
  /** `undefined`: the kernel's default. */
  readonly mtuBytes: number | undefined;
  /** Of the container interface. `undefined`: the kernel chooses it. */
  readonly mac: MacAddress | undefined;
  /** Whether packets to 127.0.0.0/8 can pass between the node and the pod: {@link planLoopbackRouting}. */
  readonly routesLoopback: boolean;
  /** One or more; each becomes a /32 or /128 of the container interface. */
  readonly addresses: readonly IpAddress[];
  /** What the IPAM configuration asks for. If it is empty, each family that has an address gets its default route. */
  readonly routes: readonly RequestedRoute[];
}

/** A route of the pod before it has a gateway: every route goes through the node. */
export type RequestedRoute = Omit<Route, 'gateway' | 'scope'>;

/** The MAC address of every host interface. It is constant, so that the link-local address, the IPv6 gateway of pods, is constant, too. */
export const HOST_INTERFACE_MAC = parseMacAddress('ee:ee:ee:ee:ee:ee');

/**
 * The gateways of pods. No interface has 169.254.1.1: the node answers ARP requests for it as a proxy, so that pods need
 * no address of the node.
 */
export const GATEWAYS: Readonly<Record<Family, IpAddress>> = {
  ipv4: parseIpAddress('169.254.1.1'),
  ipv6: parseIpAddress('fe80::ecee:eeff:feee:eeee'),
};

/**
 * The steps that attach a pod: a veth pair, the settings of both ends, the pod's routes and addresses, the node's routes to it.
 *
 * @see docs/configuration.md for where each fact comes from
 */
export function planAttachmentSteps(facts: AttachmentFacts): readonly Step[] {
  const { attachment, config, mtuBytes, mac, addresses } = facts;
  const host = attachment.hostInterface;
  const container = { name: attachment.id.interfaceName, mac };
  const families = FAMILIES.map(({ name }) => name).filter((name) => addresses.some(({ family }) => family === name));
  const inSandbox = { in: 'sandbox', interface: container.name } as const;
  const inHost = { in: 'host', interface: host.name } as const;
  const linkLocalAddress = families.includes('ipv6') ? 'from-mac' : undefined;
  return [
    {
      kind: 'create-veth',
      host: { ...host, mac: HOST_INTERFACE_MAC },
      container,
      mtuBytes,
      queueCount: config.queueCount,
    },
    // Before "up": with the link, the kernel starts to use most of them.
    ...families.flatMap((family) => SYSCTLS[family](host.name, container.name)),
    ...(families.includes('ipv4') ? [routeLocalnetStep(host.name, facts.routesLoopback)] : []),
    // Router advertisements from a pod must never change the routes of the node, whatever families the pod has.
    { ...sysctl('host', `net/ipv6/conf/${host.name}/accept_ra`, '0'), whenMissing: 'skip' },
    { kind: 'set-up', ...inHost, linkLocalAddress },
    { kind: 'set-up', ...inSandbox, linkLocalAddress },
    // The kernel accepts routes via the gateway only after a link route to the gateway itself.
    ...(families.includes('ipv4') ? [gatewayStep(container.name)] : []),
    ...planRoutes(facts, families).map((route): Step => ({
      kind: 'add-route',
      ...inSandbox,
      route,
      // Routes of the first network win, as with Multus and the plugins of the CNI project (docs/decisions/0042). Nothing else may have
      // routes in the sandbox before the first network.
      whenTaken: isFirstNetwork(attachment) ? 'fail' : 'yield',
    })),
    ...addresses.map((address): Step => ({ kind: 'add-address', ...inSandbox, address: hostCidr(address) })),
    ...families.map((family) =>
      config.allowIpForwarding
        ? sysctl('sandbox', FORWARDING[family], '1')
        : sysctl('sandbox', FORWARDING[family], '0', 'the pod can forward packets between its interfaces'),
    ),
    ...addresses.map((address): Step => {
      const route: Route = { destination: hostCidr(address), gateway: undefined, scope: 'link' };
      return { kind: 'add-route', ...inHost, route, whenTaken: 'fail' };
    }),
  ];
}

/**
 * Whether packets to 127.0.0.0/8 can pass between the node and the pod.
 *
 * A host port on 127.0.0.1 needs this. Without anything that drops such packets from pods, a pod that can send any packet
 * (CAP_NET_RAW) would reach what listens on 127.0.0.1 of the node. So it is on only where it is asked for, where the
 * runtime maps ports, and beside Calico's agent, which drops these packets.
 */
export function planLoopbackRouting(
  { routeLocalnet, raw: { runtimeConfig } }: Pick<NetworkConfig, 'routeLocalnet' | 'raw'>,
  hasAgent: boolean,
): boolean {
  if (routeLocalnet !== undefined) return routeLocalnet;
  const mappings = isJsonObject(runtimeConfig) ? runtimeConfig['portMappings'] : undefined;
  return hasAgent || (isJsonList(mappings) && mappings.length > 0);
}

function routeLocalnetStep(host: string, isOn: boolean): Step {
  const key = `net/ipv4/conf/${host}/route_localnet`;
  return isOn ? sysctl('host', key, '1', 'host ports on 127.0.0.1 do not reach the pod') : sysctl('host', key, '0');
}

const FORWARDING: Readonly<Record<Family, string>> = {
  ipv4: 'net/ipv4/ip_forward',
  ipv6: 'net/ipv6/conf/all/forwarding',
};

const SYSCTLS: Readonly<Record<Family, (host: string, container: string) => readonly Step[]>> = {
  ipv4: (host, container) => [
    // A new namespace inherits the settings of the node. With 2 and 8 the pod would not answer ARP requests of the node,
    // which has no address in the pod's network; the other values do no harm, and the administrator may rely on them.
    ...['all', container].map((name) => ({
      ...sysctl('sandbox', `net/ipv4/conf/${name}/arp_ignore`, '0', 'the node may not reach the pod over IPv4'),
      ifValueIn: ['2', '8'],
    })),
    // By default the ARP proxy waits up to 0.8 s to let a real owner answer first. There is none. The kernel has no such
    // setting in a network namespace of a user namespace, for example in an unprivileged container.
    sysctl(
      'host',
      `net/ipv4/neigh/${host}/proxy_delay`,
      '0',
      'the first connection of the pod takes up to 0.8 s longer',
    ),
    sysctl('host', `net/ipv4/conf/${host}/proxy_arp`, '1'),
    sysctl('host', `net/ipv4/conf/${host}/forwarding`, '1'),
  ],
  ipv6: (host, container) => [
    // Some runtimes create sandboxes in which IPv6 is disabled.
    sysctl('sandbox', 'net/ipv6/conf/all/disable_ipv6', '0'),
    sysctl('sandbox', 'net/ipv6/conf/default/disable_ipv6', '0', 'IPv6 is off on interfaces that the pod adds'),
    sysctl('sandbox', 'net/ipv6/conf/lo/disable_ipv6', '0', 'the pod may lack ::1'),
    // Our own addresses skip duplicate address detection in any case.
    sysctl('sandbox', `net/ipv6/conf/${container}/accept_dad`, '0', LATER_ADDRESSES),
    sysctl('host', `net/ipv6/conf/${host}/accept_dad`, '0', LATER_ADDRESSES),
    // The gateway of pods is the link-local address that is derived from the MAC; some nodes use random ones by default.
    sysctl('host', `net/ipv6/conf/${host}/addr_gen_mode`, '0', 'the kernel may add a second link-local address'),
    sysctl('host', `net/ipv6/conf/${host}/disable_ipv6`, '0'),
    sysctl('host', `net/ipv6/conf/${host}/proxy_ndp`, '1', 'the node does not answer for proxied IPv6 neighbours'),
    sysctl('host', `net/ipv6/conf/${host}/forwarding`, '1'),
  ],
};

const LATER_ADDRESSES = 'an address that another program adds to this interface is usable only after 1 to 2 seconds';

/** @param consequence see {@link Step} */
function sysctl(place: Place, key: string, value: string, consequence?: string): StepOf<'write-sysctl'> {
  return { kind: 'write-sysctl', in: place, key, value, whenMissing: 'fail', consequence };
}

function gatewayStep(containerInterface: string): Step {
  const route: Route = { destination: hostCidr(GATEWAYS.ipv4), gateway: undefined, scope: 'link' };
  // A pod's second network has the same gateway on its own link.
  return { kind: 'add-route', in: 'sandbox', interface: containerInterface, route, whenTaken: 'append' };
}

function planRoutes(
  { routes, config: { includeDefaultRoutes } }: AttachmentFacts,
  families: readonly Family[],
): readonly Route[] {
  const defaults = FAMILIES.filter(({ name }) => families.includes(name)).map(({ defaultRoute }) =>
    parseCidr(defaultRoute),
  );
  const requested = routes.filter(({ destination }) => families.includes(destination.address.family));
  const added = routes.length === 0 || includeDefaultRoutes ? defaults : [];
  return [
    ...added
      .filter((destination) => !requested.some((route) => isSameNetwork(route.destination, destination)))
      .map((destination) => ({ destination })),
    ...requested,
  ].map((route) => ({
    ...route,
    destination: networkOf(route.destination),
    gateway: GATEWAYS[route.destination.address.family],
    scope: 'global',
  }));
}

function isSameNetwork(one: Cidr, other: Cidr): boolean {
  return formatCidr(networkOf(one)) === formatCidr(networkOf(other));
}
