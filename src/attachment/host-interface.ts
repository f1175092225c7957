import { getBuiltinModule } from 'node:process';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import type { PodReference } from '../cni/cni-args.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { ObservedInterface } from '../netlink/observed-interface.ts';
import {
  formatHostInterfaceAlias,
  isSameAttachment,
  parseHostInterfaceAlias,
  type HostInterfaceOwner,
} from '../plan/host-interface-alias.ts';
import { hostInterfaceName } from '../plan/host-interface-name.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/** A host interface before it is made: its name, and the alias that names its owner. */
export interface PlannedHostInterface {
  readonly name: string;
  readonly alias: string;
}

/** Name and alias of the host interface of an attachment. */
export function planHostInterface(
  { hostInterfacePrefix, name: network }: Pick<NetworkConfig, 'hostInterfacePrefix' | 'name'>,
  attachment: AttachmentId,
  pod: PodReference | undefined,
): PlannedHostInterface {
  const workload = pod === undefined ? '' : `${pod.namespace}/${pod.name}`;
  return {
    name: hostInterfaceName(hostInterfacePrefix, { ...attachment, pod }, sha1),
    alias: formatHostInterfaceAlias({ ...attachment, network, workload }),
  };
}

// Loaded at its first use: a DEL takes the name from its record, and loading takes longer than most of what it does.
function sha1(text: string): string {
  return getBuiltinModule('node:crypto').hash('sha1', text);
}

/**
 * Makes room for a host interface: deletes one of the same name that an earlier sandbox of the same pod has left.
 *
 * @throws {CniError} 103 naming both, and nothing touched, if it belongs to another pod (two names with one hash), or is no veth at all
 */
export async function replaceHostInterface(
  planned: PlannedHostInterface,
  { kernel, log }: Pick<Effects, 'kernel' | 'log'>,
): Promise<void> {
  await withKernelErrors(`replace host interface ${planned.name}`, async () => {
    const found = await kernel.observeInterface('host', planned.name);
    if (found === undefined) return;
    refuseForeign(planned, found);
    log.warning(
      `host interface ${planned.name} of an earlier sandbox of the same pod is replaced: alias ${found.alias ?? 'none'}`,
    );
    await kernel.deleteInterface('host', planned.name);
  });
}

function refuseForeign({ name, alias }: PlannedHostInterface, found: ObservedInterface): void {
  const [owner, ours] = [parseHostInterfaceAlias(found.alias), parseHostInterfaceAlias(alias)];
  // An interface without our alias is one that a plugin before this one made for the same pod: it uses the same names.
  if (found.linkKind === 'veth' && (owner === undefined || isPredecessor(owner, ours))) return;
  throw new CniError(
    ERROR_CODE.interfaceTaken,
    `the host interface ${name}, which ${ours?.workload || 'this container'} needs, belongs to ${owner?.workload || owner?.containerId || 'something else'}; ` +
      `see "ip -d link show ${name}", and rename one of the two pods if both are alive`,
    { details: `kind ${found.linkKind ?? 'none'}, alias ${found.alias ?? 'none'}` },
  );
}

// Containers without a pod have no name in common by which one could succeed the other, only the first characters of their ids.
function isPredecessor(owner: HostInterfaceOwner, ours: HostInterfaceOwner | undefined): boolean {
  if (ours === undefined) return false;
  return ours.workload === '' ? isSameAttachment(owner, ours) : owner.workload === ours.workload;
}
