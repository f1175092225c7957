import type { Attachment } from '../cni/attachment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../cni/network-config.ts';
import type { AttachmentFacts, Journal, JournalEntry, JournalItem } from '../journal/journal.ts';
import { planRelease } from '../plan/delegation.ts';
import { detach, detachRecorded } from './detach.ts';
import type { Effects } from './effects.ts';

type LeftoverEffects = Pick<Effects, 'delegate' | 'journal' | 'kernel' | 'log'>;

/**
 * Takes down what one record names, or what its file's name still says of a damaged one. Its endpoint is left to be cleared by whoever can ask
 * the API.
 *
 * @throws {CniError} if a link or a lease remains; then the record does, too
 */
export async function releaseItem(
  { attachment, record }: JournalItem,
  config: NetworkConfig,
  effects: LeftoverEffects,
): Promise<void> {
  const { journal, log } = effects;
  if (record === 'damaged') {
    log.warning(
      `the record of container ${attachment.containerId}, ${attachment.interfaceName}, is damaged: its lease is released, it is removed`,
    );
    const target = { attachment, sandboxPath: '', cniArgs: '' };
    const release = planRelease(config);
    await detach({ target, sandbox: undefined, hostInterfaces: [], unmarked: 'foreign', release }, effects);
    journal.remove(attachment);
    return;
  }
  await detachRecorded(attachment, record, effects);
  if (record.pod === undefined) journal.remove(attachment);
  else journal.keepEndpoint(attachment, record);
}

/**
 * Releases the leases of earlier boots, once after each boot: their links and sandboxes went with it, but host-local's files are on a disk.
 * What cannot be released is left for GC.
 */
export async function releaseEarlierBoots(config: NetworkConfig, effects: LeftoverEffects): Promise<void> {
  const { journal, log } = effects;
  if (!journal.beginSweep()) return;
  const items = journal.list().filter(({ record }) => record === 'damaged' || journal.isOfEarlierBoot(record));
  for (const item of items) {
    try {
      await releaseItem(item, config, effects);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warning(
        `container ${item.attachment.containerId} of an earlier boot could not be released, GC will try again: ${why}`,
      );
    }
  }
  if (items.length > 0) log.info(`released what ${items.length} containers of an earlier boot had left`);
  journal.endSweep();
}

/**
 * Makes sure that nothing of this attachment is there before it is made: takes down what a killed ADD has left of it.
 *
 * @throws {CniError} 103 if it is attached, 11 if another ADD is at work on it
 */
export async function releaseKilledAdd(
  attachment: Attachment,
  config: NetworkConfig,
  effects: LeftoverEffects,
): Promise<void> {
  const { journal } = effects;
  const record = journal.find(attachment);
  if (record === undefined) return;
  const { containerId, interfaceName } = attachment;
  if (record !== 'damaged' && journal.isUnderWay(record)) {
    throw new CniError(
      ERROR_CODE.tryAgainLater,
      `another ADD of container ${containerId}, ${interfaceName}, is at work (process ${record.process.pid}); wait for it, or send DEL`,
    );
  }
  if (record !== 'damaged' && record.stage === 'attached' && !journal.isOfEarlierBoot(record)) {
    throw new CniError(
      ERROR_CODE.interfaceTaken,
      `container ${containerId} has its attachment ${interfaceName} to network ${config.name} already; the runtime must send DEL before it makes another one`,
    );
  }
  await releaseItem({ attachment, record }, config, effects);
}

/**
 * The record of the ADD that begins now.
 *
 * @throws {CniError} 11 if another ADD of the same attachment has begun since {@link releaseKilledAdd}
 */
export function beginEntry(attachment: Attachment, facts: AttachmentFacts, journal: Journal): JournalEntry {
  const entry = journal.begin(attachment, facts);
  if (entry !== 'exists') return entry;
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `another ADD of container ${attachment.containerId}, ${attachment.interfaceName}, has begun at the same time; wait for it, or send DEL`,
  );
}

/**
 * Refuses to print a result for what is gone: a DEL that comes while an ADD is at work takes its record away.
 *
 * @throws {CniError} 11
 */
export function refuseOvertaken(entry: JournalEntry, { containerId, interfaceName }: Attachment): void {
  if (entry.isStillThere()) return;
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `container ${containerId}, ${interfaceName}, was taken down by a DEL or GC while it was attached; what was made is undone`,
  );
}
