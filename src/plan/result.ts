import { hostCidr } from '../address/cidr.ts';
import type { CniResult } from '../cni/result.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { Lease } from './lease.ts';
import type { ObservedInterface } from './observation.ts';

type LinkEnd = Pick<ObservedInterface, 'name' | 'mac' | 'mtuBytes'>;

/** Everything that the result of an ADD contains. */
export interface ResultFacts {
  readonly config: Pick<NetworkConfig, 'dns' | 'prevResult'>;
  readonly sandboxPath: string;
  readonly hostInterface: LinkEnd;
  readonly containerInterface: LinkEnd;
  readonly lease: Pick<Lease, 'addresses' | 'resultRoutes' | 'dns'>;
}

/**
 * Makes the result of an ADD: what earlier plugins of the list have made, then the host interface, the container interface and its
 * addresses.
 *
 * @see SPEC.md 1.1.0, section 5, Success
 */
export function planResult({ config, sandboxPath, hostInterface, containerInterface, lease }: ResultFacts): CniResult {
  const { interfaces = [], ips = [], routes = [], dns } = config.prevResult ?? {};
  const link = ({ name, mac, mtuBytes }: LinkEnd) => ({ name, mac, mtu: mtuBytes });
  const containerIndex = interfaces.length + 1;
  return {
    interfaces: [...interfaces, link(hostInterface), { ...link(containerInterface), sandbox: sandboxPath }],
    ips: [...ips, ...lease.addresses.map((address) => ({ address: hostCidr(address), interface: containerIndex }))],
    routes: [...routes, ...lease.resultRoutes],
    dns: config.dns ?? (Object.keys(lease.dns).length > 0 ? lease.dns : (dns ?? {})),
  };
}
