import { isCniName, isInterfaceName, parseContainerId, parseInterfaceName } from '../cni/attachment-id.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import { ownsNetwork, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { sha1 } from '../system/sha1.ts';
import type { Effects } from './effects.ts';

/**
 * True if a host interface that has the route to a leased address belongs to a container that is gone. Its alias names
 * the container and its network. Without a record of it, only an interface of this network that cannot carry a pod's
 * traffic counts as such: a running pod can have lost its record together with its lease.
 */
export function isOfGoneContainer(
  { alias, linkKind, isUp }: ObservedInterface,
  network: string,
  {
    journal,
    kernel,
  }: {
    readonly journal: Pick<Effects['journal'], 'find' | 'isInProgress'>;
    readonly kernel: Pick<Effects['kernel'], 'sandboxExists'>;
  },
): boolean {
  const owner = parseHostInterfaceAlias(alias);
  if (owner === undefined || !isCniName(owner.containerId) || !isInterfaceName(owner.interfaceName)) return false;
  const id = {
    containerId: parseContainerId(owner.containerId),
    interfaceName: parseInterfaceName(owner.interfaceName),
  };
  const isOurs = ownsNetwork(owner, network, sha1);
  // A name that is replaced by its hash, because it is too long, is not the name of a network.
  if (!isOurs && !isCniName(owner.network)) return false;
  const item = journal.find(id, isOurs ? network : owner.network);
  if (item === undefined) return isOurs && (linkKind !== 'veth' || !isUp);
  if (item.kind === 'damaged' || journal.isInProgress(item.record)) return false;
  return !kernel.sandboxExists(item.record.attachment.sandboxPath);
}
