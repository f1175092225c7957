import type { Cidr } from '../../address/cidr.ts';
import { leaseFolder, readLeases } from '../../delegate/host-local-leases.ts';
import type { AddressFacts, Seen } from '../../diagnosis/facts.ts';
import { isJsonList, isJsonObject } from '../../json/json.ts';
import { CIDR } from '../../json/shapes.ts';
import type { NetworkConfig } from '../../netconf/network-config.ts';
import { planAllocation, planLookup } from '../../plan/delegation.ts';
import type { NodeFiles } from './node-files.ts';
import { statFile } from './stat-file.ts';

/**
 * Reads the leases of host-local, and the ranges that it leases from.
 *
 * @param podCidrs of the Node; without them, the ranges that the configuration itself contains
 */
export function observeAddresses(
  config: NetworkConfig,
  nodeName: string | undefined,
  podCidrs: readonly Cidr[],
  files: NodeFiles,
): Seen<AddressFacts> {
  const folder = leaseFolder(planLookup(config));
  if (folder === undefined) return { kind: 'unseen', why: `the leases of ${config.delegateType} are not known` };
  const here = files.at(folder);
  if (files.root !== '/' && statFile(files.at('/var/lib/cni')) === undefined) {
    return { kind: 'unseen', why: 'the folder of leases is not mounted here: run this on the node' };
  }
  const nowMs = Date.now();
  const leases = readLeases(here).map(({ address, containerId, path }) => ({
    address,
    containerId,
    ageMs: nowMs - (statFile(path)?.mtimeMs ?? nowMs),
  }));
  return { kind: 'seen', value: { folder, ranges: rangesOf(config, nodeName ?? '', podCidrs), leases } };
}

/** The networks that host-local leases addresses from. Empty if the Node has no podCIDR. */
export function rangesOf(config: NetworkConfig, nodeName: string, podCidrs: readonly Cidr[]): readonly Cidr[] {
  try {
    const { ipam } = planAllocation(config, { nodeName, podCidrs }).config;
    if (!isJsonObject(ipam)) return [];
    const ranges = isJsonList(ipam['ranges']) ? ipam['ranges'].flat() : [];
    const subnets = [ipam['subnet'], ...ranges.map((range) => (isJsonObject(range) ? range['subnet'] : undefined))];
    return subnets.flatMap((subnet) => CIDR.parse(subnet ?? null) ?? []);
  } catch {
    return [];
  }
}
