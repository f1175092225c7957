import { AddressError, type IpAddress } from '../address/ip-address.ts';
import { parseCidr } from '../address/cidr.ts';
import { FAMILIES } from '../address/family.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { CniResult, ResultDns, ResultRoute } from '../cni/result.ts';
import type { RequestedRoute } from './attachment-steps.ts';
import type { Delegation } from './delegation.ts';

/** What the delegate has allocated to one attachment. */
export interface Lease {
  /** IPv4 first, else in the delegate's order. */
  readonly addresses: readonly IpAddress[];
  readonly routes: readonly RequestedRoute[];
  /** The routes as the delegate gave them, for the result. */
  readonly resultRoutes: readonly ResultRoute[];
  readonly dns: ResultDns;
}

/**
 * The lease in the delegate's result.
 *
 * @throws {CniError} 102 for a result that no pod can be attached with: no address, one twice, one of a family that was not asked for,
 *   a family without one, or a value that is none
 */
export function parseLease(result: CniResult, { type, families }: Delegation): Lease {
  try {
    const addresses = sortByFamily(result.ips.map(({ address }) => parseCidr(address).address));
    refuseUnusable(addresses, families);
    return { addresses, routes: result.routes.map(parseRoute), resultRoutes: result.routes, dns: result.dns };
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new CniError(
      ERROR_CODE.delegateFailed,
      `the IPAM plugin ${type} answered with a result that cannot be used: ${cause.message}`,
      { cause, details: `addresses: ${result.ips.map(({ address }) => address).join(', ') || 'none'}` },
    );
  }
}

function refuseUnusable(addresses: readonly IpAddress[], families: Delegation['families']): void {
  if (addresses.length === 0) throw new AddressError('it holds no address');
  const twice = addresses.find(({ text }, index) => addresses.findIndex((other) => other.text === text) < index);
  if (twice !== undefined) throw new AddressError(`it holds ${twice.text} twice`);
  if (families.length === 0) return;
  for (const { name, label } of FAMILIES) {
    const found = addresses.find(({ family }) => family === name);
    if (families.includes(name) && found === undefined)
      throw new AddressError(`no ${label} address, which its ranges ask for`);
    if (!families.includes(name) && found !== undefined)
      throw new AddressError(`${found.text}, though no ${label} range was given`);
  }
}

function sortByFamily(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return FAMILIES.flatMap(({ name }) => addresses.filter(({ family }) => family === name));
}

function parseRoute({ dst, mtu, advmss, priority, table }: ResultRoute): RequestedRoute {
  return {
    destination: parseCidr(dst),
    ...(mtu === undefined ? {} : { mtuBytes: mtu }),
    ...(advmss === undefined ? {} : { advertisedMssBytes: advmss }),
    ...(priority === undefined ? {} : { priority }),
    ...(table === undefined ? {} : { table }),
  };
}
