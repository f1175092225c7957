import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { JournalItem } from '../journal/journal.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { attachmentFromAlias, type Attachment } from '../plan/attachment.ts';
import { planLabelledDetachment, planRecordedDetachment } from '../plan/detachment.ts';
import { sha1 } from '../system/sha1.ts';
import { detach } from './detach.ts';
import type { Effects } from './effects.ts';
import { findLabelled } from './find-known.ts';
import { messageOf } from '../system/error-text.ts';

type CleanupEffects = Pick<Effects, 'delegate' | 'journal' | 'kernel' | 'log'>;

/**
 * Prepares for an ADD: releases what earlier boots left, once after each boot, and removes what a killed ADD of the same attachment left.
 *
 * @throws {CniError} interfaceTaken (103) if the attachment exists, tryAgainLater (11) if another ADD of it is running
 */
export async function cleanUpBeforeAdd(
  id: AttachmentId,
  config: NetworkConfig,
  effects: CleanupEffects,
): Promise<void> {
  await releaseEarlierBoots(config, effects);
  await cleanUpKilledAdd(id, config, effects);
}

/**
 * Removes from the node what one record names; for a damaged record, what its file name and the aliases of host interfaces still identify.
 * Its endpoint is left for a command that can reach the API.
 *
 * @throws {CniError} if a link or the lease remains; then the record stays, too
 */
export async function cleanUpItem(item: JournalItem, config: NetworkConfig, effects: CleanupEffects): Promise<void> {
  if (item.kind === 'damaged') {
    const { containerId, interfaceName } = item.id;
    effects.log.warning(
      `the record of container ${containerId}, ${interfaceName}, is damaged; removing what can still be identified`,
    );
    await cleanUpUnrecorded(item.id, config, effects);
    return;
  }
  const { attachment } = item.record;
  await detach(planRecordedDetachment(item.record), effects);
  noteRemaining(attachment, effects);
}

/**
 * Removes an attachment without a readable record: the host interfaces whose alias names it, and its lease.
 *
 * @throws {CniError} if a link or the lease remains
 */
export async function cleanUpUnrecorded(
  id: AttachmentId,
  config: NetworkConfig,
  effects: CleanupEffects,
): Promise<void> {
  const labelled = await findLabelled(id, config, effects);
  const attachment = labelled[0] ?? attachmentFromAlias(id, { network: config.name, workload: '' }, '', config, sha1);
  await detach(planLabelledDetachment(attachment, labelled), effects);
  noteRemaining(attachment, effects);
}

// Whether the endpoint is this container's is checked when it is cleared.
function noteRemaining(attachment: Attachment, { journal }: Pick<Effects, 'journal'>): void {
  if (attachment.pod === undefined) journal.remove(attachment);
  else journal.keepEndpoint(attachment);
}

// Links and sandboxes end with a boot, but leases are files on a disk. What cannot be released is left for GC.
async function releaseEarlierBoots(config: NetworkConfig, effects: CleanupEffects): Promise<void> {
  const { journal, log } = effects;
  if (!journal.beginSweep()) return;
  journal.tidy();
  const items: JournalItem[] = [];
  for (const item of journal.list()) {
    if (await isOfEarlierBoot(item, config, effects)) items.push(item);
  }
  for (const item of items) {
    try {
      await cleanUpItem(item, config, effects);
    } catch (error) {
      const why = messageOf(error);
      log.warning(
        `container ${item.id.containerId} of an earlier boot could not be released: ${why}; GC will try again`,
      );
    }
  }
  if (items.length > 0) log.info(`released what ${items.length} containers of an earlier boot left`);
  journal.endSweep();
}

// Links end with the boot: an attachment whose link exists is of the current one.
async function isOfEarlierBoot(item: JournalItem, config: NetworkConfig, effects: CleanupEffects): Promise<boolean> {
  if (item.kind === 'record') return effects.journal.isOfEarlierBoot(item.record);
  return (await findLabelled(item.id, config, effects)).length === 0;
}

async function cleanUpKilledAdd(id: AttachmentId, config: NetworkConfig, effects: CleanupEffects): Promise<void> {
  const { journal } = effects;
  const item = journal.find(id);
  if (item === undefined) return;
  if (item.kind === 'record') {
    const { record } = item;
    if (journal.isInProgress(record)) throw addInProgressError(id, record.process.pid);
    if (record.stage === 'attached' && !journal.isOfEarlierBoot(record)) throw alreadyAttachedError(id, config.name);
  }
  await cleanUpItem(item, config, effects);
}

function addInProgressError({ containerId, interfaceName }: AttachmentId, pid: number): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `another ADD of container ${containerId}, ${interfaceName}, is running (process ${pid}); wait for it, or send DEL`,
  );
}

function alreadyAttachedError({ containerId, interfaceName }: AttachmentId, network: string): CniError {
  return new CniError(
    ERROR_CODE.interfaceTaken,
    `container ${containerId} is already attached to network ${network} with ${interfaceName}; the runtime must send DEL first`,
  );
}
