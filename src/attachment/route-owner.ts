import { isCniName, isInterfaceName, parseContainerId, parseInterfaceName } from '../cni/attachment-id.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import { parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { Effects } from './effects.ts';

/**
 * True if a host interface that has the route to a leased address belongs to a container of this network that is gone.
 * Its alias names the container. Without a record of it, only an interface that cannot carry a pod's traffic counts as
 * such: a running pod can have lost its record together with its lease.
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
  if (owner?.network !== network || !isCniName(owner.containerId) || !isInterfaceName(owner.interfaceName))
    return false;
  const id = {
    containerId: parseContainerId(owner.containerId),
    interfaceName: parseInterfaceName(owner.interfaceName),
  };
  const item = journal.find(id);
  if (item === undefined) return linkKind !== 'veth' || !isUp;
  if (item.kind === 'damaged' || journal.isInProgress(item.record)) return false;
  return !kernel.sandboxExists(item.record.attachment.sandboxPath);
}
