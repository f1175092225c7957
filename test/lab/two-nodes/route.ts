import { textMemberOf } from '../../../scripts/demo/json-member.ts';
import type { NetworkNamespace } from '../namespaces/network-namespace.ts';
import { families, type ClusterNode } from './two-nodes.ts';

/**
 * Adds the routes that the administrator of a policy-only installation adds: to the other node's podCIDRs, by that
 * node's address.
 */
export async function routeTo(other: ClusterNode, from: ClusterNode): Promise<AsyncDisposable> {
  const change = async (verb: 'add' | 'delete') => {
    for (const { name, option } of families())
      await from.machine.ip(option, 'route', verb, other.podCidrs[name], 'via', other.addresses[name]);
  };
  await change('add');
  return { [Symbol.asyncDispose]: () => change('delete') };
}

/** A route as `ip -json -details` prints it. Missing members are empty. */
export interface ShownRoute {
  readonly type: string;
  readonly destination: string;
  readonly gateway: string;
  readonly interface: string;
  readonly protocol: string;
}

/** Reads the routes in the main tables of a namespace, except those that the kernel adds automatically. */
export async function readRoutes(where: NetworkNamespace): Promise<readonly ShownRoute[]> {
  const found = await Promise.all(families().map(({ option }) => where.ip('-details', option, 'route', 'show')));
  return found
    .flat()
    .map((route) => ({
      type: textMemberOf(route, 'type'),
      destination: textMemberOf(route, 'dst'),
      gateway: textMemberOf(route, 'gateway'),
      interface: textMemberOf(route, 'dev'),
      protocol: textMemberOf(route, 'protocol'),
    }))
    .filter(({ protocol }) => protocol !== 'kernel');
}

/** Formats a route as `ip route` does. */
export function formatRoute({ type, destination, gateway, interface: device, protocol }: ShownRoute): string {
  const kind = type === 'unicast' ? '' : `${type} `;
  // A blackhole has no interface; for IPv6 the kernel reports `lo`.
  const by = kind === '' ? `${gateway === '' ? '' : ` via ${gateway}`} dev ${device}` : '';
  return `${kind}${destination}${by} proto ${protocol}`;
}

/** Finds the route with this destination, as text; `undefined` if it does not exist. */
export async function routeOf(where: NetworkNamespace, destination: string): Promise<ShownRoute | undefined> {
  return (await readRoutes(where)).find((route) => route.destination === destination);
}
