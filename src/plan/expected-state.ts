import { AddressError, type IpAddress } from '../address/ip-address.ts';
import { parseCidr } from '../address/cidr.ts';
import { isJsonList, isJsonObject } from '../json/json.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { CniResult } from '../cni/result.ts';
import { MacAddressError, parseMacAddress, type MacAddress } from '../address/mac-address.ts';
import type { RequestedRoute } from './attachment-steps.ts';

/** What an ADD has said that it made, as the last plugin of the list left it. */
export interface ExpectedState {
  /** A plugin behind us may have changed it; it is what the pod has. */
  readonly mac: MacAddress | undefined;
  readonly addresses: readonly IpAddress[];
  readonly routes: readonly RequestedRoute[];
}

/**
 * Our part of a result: the addresses of the container interface, and the routes that the delegate was configured with. Routes that plugins
 * behind us have added are theirs to check.
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
  const { routes: configured } = ipam;
  const destinations =
    configured !== undefined && isJsonList(configured)
      ? configured.map((route) => (isJsonObject(route) ? route['dst'] : undefined))
      : routes.map(({ dst }) => dst);
  return {
    mac: ignoring(MacAddressError, () => parseMacAddress(interfaces[index]?.mac ?? '')),
    addresses: ours.map(({ address }) => parseCidr(address).address),
    routes: destinations.flatMap((dst) => {
      const destination = ignoring(AddressError, () => parseCidr(typeof dst === 'string' ? dst : ''));
      return destination === undefined ? [] : [{ destination }];
    }),
  };
}

// What cannot be read was never made: ADD refuses it.
function ignoring<Value>(expected: new (...given: never[]) => Error, parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof expected) return undefined;
    throw error;
  }
}
