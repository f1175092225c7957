import { isCniName, isInterfaceName, parseContainerId, parseInterfaceName } from '../cni/attachment-id.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import {
  attachmentFromAlias,
  attachmentFromRequest,
  type Attachment,
  type AttachmentRequestFacts,
} from '../plan/attachment.ts';
import type { KnownAttachment } from '../plan/detachment.ts';
import { ownsNetwork, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { sha1 } from '../system/sha1.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

type KnownEffects = Pick<Effects, 'journal' | 'kernel' | 'log'>;

/**
 * What this node still knows about an attachment: its record, or if that is missing or damaged, the aliases of host interfaces.
 *
 * The alias of the interface that this request would use can name another network. If this network rejected its ADD because the interface existed, the other network's
 * attachment is a different one. Else the network was renamed while the pod was running (ocicni#31), and the other name's record applies.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function findKnownAttachment(
  request: AttachmentRequestFacts,
  effects: KnownEffects,
): Promise<KnownAttachment> {
  const { id, config } = request;
  const { journal, log } = effects;
  const recorded = findRecorded(id, config.name, effects);
  if (recorded !== undefined) return recorded;
  if (journal.find(id) !== undefined) {
    log.warning(
      `the record of container ${id.containerId}, ${id.interfaceName}, is damaged; falling back to the request and to the aliases of host interfaces`,
    );
  }
  const all = (await listLabelled(config, effects)).filter((attachment) => isSameId(attachment.id, id));
  const labelled = all.filter(({ network }) => network === config.name);
  const { name } = attachmentFromRequest(request, sha1).hostInterface;
  const other = all.find(({ network, hostInterface }) => network !== config.name && hostInterface.name === name);
  if (labelled.length > 0) return { kind: 'labelled', labelled };
  if (other === undefined) {
    journal.forgetRejected(id);
    return { kind: 'labelled', labelled };
  }
  // The note stays for as long as the other attachment does: DEL can be repeated.
  if (journal.wasRejected(id)) return { kind: 'rejected' };
  log.info(`the attachment of container ${id.containerId} belongs to the network ${other.network}, an earlier name`);
  return findRecorded(id, other.network, effects) ?? { kind: 'labelled', labelled: [other] };
}

function findRecorded(
  id: AttachmentId,
  network: string,
  { journal }: Pick<Effects, 'journal'>,
): KnownAttachment | undefined {
  const item = journal.find(id, network);
  if (item?.kind !== 'record') return undefined;
  const { attachment, stage } = item.record;
  return { kind: 'recorded', attachment, stage, isInProgress: journal.isInProgress(item.record) };
}

/**
 * The attachments to this network that aliases of host interfaces name for one container and interface, one for each host interface.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function findLabelled(
  id: AttachmentId,
  config: NetworkConfig,
  effects: Pick<Effects, 'kernel'>,
): Promise<readonly Attachment[]> {
  const all = await listLabelled(config, effects);
  return all.filter((attachment) => attachment.network === config.name && isSameId(attachment.id, id));
}

/**
 * The attachments that aliases of host interfaces name, to any network. An attachment to the configuration's network has its name.
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
    if (owner === undefined || !isCniName(owner.containerId) || !isInterfaceName(owner.interfaceName)) return [];
    const network = ownsNetwork(owner, config.name, sha1) ? config.name : owner.network;
    // A network whose name did not fit into the alias cannot be told from its hash.
    if (!isCniName(network)) return [];
    const id = {
      containerId: parseContainerId(owner.containerId),
      interfaceName: parseInterfaceName(owner.interfaceName),
    };
    return [attachmentFromAlias(id, { ...owner, network }, name, config, sha1)];
  });
}

function isSameId(one: AttachmentId, other: AttachmentId): boolean {
  return one.containerId === other.containerId && one.interfaceName === other.interfaceName;
}
