import { leaseFolder, removeLeases } from '../delegate/host-local-leases.ts';
import type { LeaseFact } from '../diagnosis/facts.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planLookup } from '../plan/delegation.ts';
import { openLibcLoader } from '../system/libc.ts';
import type { NodeFiles } from './observe/node-files.ts';

/**
 * Releases leases of containers that no longer exist, under host-local's own lock. A lease that has another owner by now
 * stays.
 *
 * @returns how many were released
 * @throws {CniError} tryAgainLater (11) if host-local keeps its lock
 */
export async function releaseLeases(
  config: NetworkConfig,
  files: NodeFiles,
  leaked: readonly Pick<LeaseFact, 'address' | 'containerId'>[],
): Promise<number> {
  const folder = leaseFolder(planLookup(config));
  if (folder === undefined || leaked.length === 0) return 0;
  const libc = openLibcLoader();
  const isLeaked = async ({ address, containerId }: Pick<LeaseFact, 'address' | 'containerId'>): Promise<boolean> =>
    leaked.some((lease) => lease.address.text === address.text && lease.containerId === containerId);
  return (await removeLeases(files.at(folder), isLeaked, (fd) => libc.load().tryLock(fd))).length;
}
