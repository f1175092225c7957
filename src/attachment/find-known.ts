import { isCniName, isInterfaceName, parseContainerId, parseInterfaceName } from '../cni/attachment-id.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { attachmentFromAlias, type Attachment } from '../plan/attachment.ts';
import type { KnownAttachment } from '../plan/detachment.ts';
import { isSameAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/**
 * What this node still knows about an attachment: its record, or if that is damaged, the aliases of host interfaces.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function findKnownAttachment(
  id: AttachmentId,
  config: NetworkConfig,
  { journal, kernel, log }: Pick<Effects, 'journal' | 'kernel' | 'log'>,
): Promise<KnownAttachment> {
  const item = journal.find(id);
  if (item === undefined) return { kind: 'unknown' };
  if (item.kind === 'record') {
    const { attachment, stage } = item.record;
    return { kind: 'recorded', attachment, stage, isInProgress: journal.isInProgress(item.record) };
  }
  log.warning(
    `the record of container ${id.containerId}, ${id.interfaceName}, is damaged; falling back to the request and to the aliases of host interfaces`,
  );
  return { kind: 'damaged', labelled: await findLabelled(id, config, { kernel }) };
}

/**
 * The attachments that aliases of host interfaces name for one container and interface, one for each host interface.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function findLabelled(
  id: AttachmentId,
  config: NetworkConfig,
  effects: Pick<Effects, 'kernel'>,
): Promise<readonly Attachment[]> {
  const all = await listLabelled(config, effects);
  return all.filter((attachment) => isSameAttachment(attachment.id, id));
}

/**
 * The attachments of this network that aliases of host interfaces name.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function listLabelled(
  config: NetworkConfig,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<readonly Attachment[]> {
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces());
  return interfaces.flatMap(({ name, alias }) => {
    const owner = parseHostInterfaceAlias(alias);
    if (owner?.network !== config.name || !isCniName(owner.containerId) || !isInterfaceName(owner.interfaceName)) {
      return [];
    }
    const id = {
      containerId: parseContainerId(owner.containerId),
      interfaceName: parseInterfaceName(owner.interfaceName),
    };
    return [attachmentFromAlias(id, owner, name, config)];
  });
}
