import { isCniName, parseContainerId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import type { Attachment } from '../plan/attachment.ts';
import {
  ownsAttachment,
  ownsNetwork,
  ownsWorkload,
  parseHostInterfaceAlias,
  type HostInterfaceOwner,
} from '../plan/host-interface-alias.ts';
import { sha1 } from '../system/sha1.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/**
 * Makes room for the host interface: deletes one of the same name that an earlier sandbox of the same pod left, and notes this in the record
 * of that sandbox.
 *
 * @throws {CniError} interfaceTaken (103), with nothing changed, if the name belongs to another pod (both names have the same hash) or
 *   to an interface that is not a veth
 */
export async function replaceHostInterface(
  attachment: Attachment,
  { journal, kernel, log }: Pick<Effects, 'journal' | 'kernel' | 'log'>,
): Promise<void> {
  const { name } = attachment.hostInterface;
  await withKernelErrors(`replace host interface ${name}`, async () => {
    const found = await kernel.observeInterface('host', name);
    if (found === undefined) return;
    assertReplaceable(attachment, found);
    log.warning(
      `replacing host interface ${name} of an earlier sandbox of the same pod (alias ${found.alias ?? 'none'})`,
    );
    await kernel.deleteInterface('host', found);
    markReplaced(attachment, parseHostInterfaceAlias(found.alias), journal);
  });
}

// After the deletion: the DEL of a replaced attachment deletes no interface.
function markReplaced(
  { id, network }: Attachment,
  owner: HostInterfaceOwner | undefined,
  journal: Pick<Effects['journal'], 'markReplaced'>,
): void {
  if (owner === undefined || !isCniName(owner.containerId) || !ownsNetwork(owner, network, sha1)) return;
  const containerId = parseContainerId(owner.containerId);
  if (containerId !== id.containerId) journal.markReplaced({ id: { ...id, containerId }, network });
}

function assertReplaceable(attachment: Attachment, found: ObservedInterface): void {
  const owner = parseHostInterfaceAlias(found.alias);
  // An interface without our alias was created for the same pod by the previously installed plugin, which uses the same names.
  if (found.linkKind === 'veth' && (owner === undefined || isPredecessor(owner, attachment))) return;
  const { name } = attachment.hostInterface;
  throw new CniError(
    ERROR_CODE.interfaceTaken,
    `the host interface ${name}, which ${describe(attachment)} needs, belongs to ${describeOwner(owner)}; ` +
      `see "ip -d link show ${name}", and rename one of the two if both are alive`,
    { details: `kind ${found.linkKind ?? 'none'}, alias ${found.alias ?? 'none'}`, finding: 'PW307' },
  );
}

// Containers without a pod share only the first characters of their ids, so none of them can succeed another one.
function isPredecessor(owner: HostInterfaceOwner, { id, network, pod }: Attachment): boolean {
  if (pod === undefined) return ownsAttachment(owner, { ...id, network }, sha1);
  return owner.interfaceName === id.interfaceName && ownsWorkload(owner, `${pod.namespace}/${pod.name}`, sha1);
}

function describe({ id, pod }: Attachment): string {
  return pod === undefined ? `container ${id.containerId}` : `pod ${pod.namespace}/${pod.name}`;
}

function describeOwner(owner: HostInterfaceOwner | undefined): string {
  if (owner === undefined) return 'another program';
  return owner.workload === '' ? `container ${owner.containerId}` : `pod ${owner.workload}`;
}
