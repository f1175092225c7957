import type { IpAddress } from '../address/ip-address.ts';
import { isJsonList, isJsonObject, type JsonObject } from '../json/json.ts';
import { CIDR } from '../json/shapes.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { CniResult } from '../cni/result.ts';
import { MacAddressError, parseMacAddress, type MacAddress } from '../address/mac-address.ts';
import type { RequestedRoute } from './attachment-steps.ts';

/** What ADD reported in its result, as the last plugin of the list passed it on. */
export interface ExpectedState {
  /** A plugin after podwire may have changed it: this is the MAC that the pod has. */
  readonly mac: MacAddress | undefined;
  readonly addresses: readonly IpAddress[];
  readonly routes: readonly RequestedRoute[];
}

/**
 * Takes podwire's part from a result: the addresses of the container interface, and the routes that the delegate was
 * configured with. Plugins after podwire check the routes that they have added.
 *
 * @param interfaceName CNI_IFNAME
 */
export function expectedFromPrevResult(
  { interfaces, ips, routes }: CniResult,
  { ipam }: Pick<NetworkConfig, 'ipam'>,
  interfaceName: string,
): ExpectedState {
  const index = interfaces.findIndex(({ name, sandbox }) => name === interfaceName && sandbox !== undefined);
  const ours = ips.filter((ip) => ip.interface === undefined || ip.interface === index);
  return {
    mac: parseMac(interfaces[index]?.mac ?? ''),
    addresses: ours.map(({ address }) => address.address),
    routes: configuredRoutes(ipam) ?? routes.map(({ dst }) => ({ destination: dst })),
  };
}

function parseMac(text: string): MacAddress | undefined {
  try {
    return parseMacAddress(text);
  } catch (error) {
    if (error instanceof MacAddressError) return undefined;
    throw error;
  }
}

// ADD fails if a route has no valid destination, so it has not added such a route.
function configuredRoutes({ routes }: JsonObject): readonly RequestedRoute[] | undefined {
  if (routes === undefined || !isJsonList(routes)) return undefined;
  return routes.flatMap((route) => {
    const destination = CIDR.parse(isJsonObject(route) ? (route['dst'] ?? null) : null);
    return destination === undefined ? [] : [{ destination }];
  });
}
