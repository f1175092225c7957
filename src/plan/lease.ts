import { formatCidr } from '../address/cidr.ts';
import { FAMILIES } from '../address/family.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { CniResult, ResultDns, ResultRoute } from '../cni/result.ts';
import type { RequestedRoute } from './attachment-steps.ts';
import type { Allocation } from './delegation.ts';

/** The addresses and routes that the delegate has allocated to one attachment. */
export interface Lease {
  /** IPv4 first, otherwise in the delegate's order. */
  readonly addresses: readonly IpAddress[];
  readonly routes: readonly RequestedRoute[];
  /** The delegate's own routes, for the result. */
  readonly resultRoutes: readonly ResultRoute[];
  readonly dns: ResultDns;
}

/**
 * Takes the lease from the delegate's result.
 *
 * @throws {CniError} delegateFailed (102) for a result with which no pod can be attached: no address, one twice, one
 *   of a family that was not requested, or no address of a family that was
 */
export function parseLease(result: CniResult, { type, families }: Allocation): Lease {
  const addresses = sortByFamily(result.ips.map(({ address }) => address.address));
  const problem = findProblem(addresses, families);
  if (problem === undefined) {
    return { addresses, routes: result.routes.map(requestedRoute), resultRoutes: result.routes, dns: result.dns };
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${type} returned a result that cannot be used: ${problem}`,
    { details: `addresses: ${result.ips.map(({ address }) => formatCidr(address)).join(', ') || 'none'}` },
  );
}

function findProblem(addresses: readonly IpAddress[], families: Allocation['families']): string | undefined {
  if (addresses.length === 0) return 'it has no address';
  const twice = addresses.find(({ text }, index) => addresses.findIndex((other) => other.text === text) < index);
  if (twice !== undefined) return `it has ${twice.text} twice`;
  if (families.length === 0) return undefined;
  for (const { name, label } of FAMILIES) {
    const found = addresses.find(({ family }) => family === name);
    if (families.includes(name) && found === undefined) return `it has no ${label} address, which its ranges ask for`;
    if (!families.includes(name) && found !== undefined) return `it has ${found.text}, but no ${label} range`;
  }
  return undefined;
}

function sortByFamily(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return FAMILIES.flatMap(({ name }) => addresses.filter(({ family }) => family === name));
}

function requestedRoute({ dst, mtu, advmss, priority, table }: ResultRoute): RequestedRoute {
  return {
    destination: dst,
    ...(mtu === undefined ? {} : { mtuBytes: mtu }),
    ...(advmss === undefined ? {} : { advertisedMssBytes: advmss }),
    ...(priority === undefined ? {} : { priority }),
    ...(table === undefined ? {} : { table }),
  };
}
