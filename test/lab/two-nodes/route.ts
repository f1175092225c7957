import { textMemberOf } from '../../../scripts/demo/json-member.ts';
import type { NetworkNamespace } from '../namespaces/network-namespace.ts';
import { families, type ClusterNode } from './two-nodes.ts';

/** What the administrator of a policy-only installation does: a route to the other's podCIDRs, by the other's address. */
export async function routeTo(other: ClusterNode, from: ClusterNode): Promise<AsyncDisposable> {
  const change = async (verb: 'add' | 'delete') => {
    for (const { name, option } of families())
      await from.machine.ip(option, 'route', verb, other.podCidrs[name], 'via', other.addresses[name]);
  };
  await change('add');
  return { [Symbol.asyncDispose]: () => change('delete') };
}

/** A route as `ip -json -details` has it, what it does not say left empty. */
export interface ShownRoute {
  readonly type: string;
  readonly destination: string;
  readonly gateway: string;
  readonly interface: string;
  readonly protocol: string;
}

/** The main routes of a namespace in both families, but those that the kernel makes itself. */
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

/** As `ip route` writes it. */
export function formatRoute({ type, destination, gateway, interface: device, protocol }: ShownRoute): string {
  const kind = type === 'unicast' ? '' : `${type} `;
  // A blackhole has none; of IPv6 the kernel says `lo`.
  const by = kind === '' ? `${gateway === '' ? '' : ` via ${gateway}`} dev ${device}` : '';
  return `${kind}${destination}${by} proto ${protocol}`;
}

/** The route whose destination is written so, `undefined` if there is none. */
export async function routeOf(where: NetworkNamespace, destination: string): Promise<ShownRoute | undefined> {
  return (await readRoutes(where)).find((route) => route.destination === destination);
}
