import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { AttachmentFacts, Journal, JournalEntry, JournalItem } from '../journal/journal.ts';
import type { PodReference } from '../cni/cni-args.ts';
import { planLookup } from '../plan/delegation.ts';
import { isSameAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { detach, detachRecorded } from './detach.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

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
      `the record of container ${attachment.containerId}, ${attachment.interfaceName}, is damaged: what is left of it is taken down`,
    );
    await releaseUnrecorded(attachment, config, effects);
    return;
  }
  await detachRecorded(attachment, record, effects);
  if (record.pod === undefined) journal.remove(attachment);
  else journal.keepEndpoint(attachment, record);
}

/**
 * Takes down an attachment without a record: what the alias of a host interface says of it, and its lease.
 *
 * @throws {CniError} if a link or a lease remains
 */
export async function releaseUnrecorded(
  attachment: AttachmentId,
  config: NetworkConfig,
  effects: LeftoverEffects,
): Promise<void> {
  const { journal } = effects;
  const [target, release] = [{ attachment, sandboxPath: '', cniArgs: '' }, planLookup(config)];
  const marks = await marksOf(attachment, config, effects);
  const hostInterfaces = marks.map(({ name }) => name);
  await detach({ target, sandbox: undefined, hostInterfaces, unmarked: 'foreign', release }, effects);
  const [hostInterface = '', pod] = [hostInterfaces[0], marks[0]?.pod];
  if (pod === undefined) journal.remove(attachment);
  // Whether the endpoint is this container's is seen when it is cleared.
  else
    journal.keepEndpoint(attachment, {
      sandboxPath: '',
      hostInterface,
      cniArgs: '',
      pod,
      podUid: undefined,
      release,
    });
}

/**
 * The host interfaces whose alias names the attachment, and its pod.
 *
 * @throws {CniError} 101
 */
export async function marksOf(
  attachment: AttachmentId,
  { name: network }: NetworkConfig,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<readonly { readonly name: string; readonly pod: PodReference | undefined }[]> {
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces('host'));
  return interfaces.flatMap(({ name, alias }) => {
    const owner = parseHostInterfaceAlias(alias);
    if (owner?.network !== network || !isSameAttachment(owner, attachment)) return [];
    const [namespace = '', podName = ''] = owner.workload.split('/');
    return [{ name, pod: namespace === '' || podName === '' ? undefined : { namespace, name: podName } }];
  });
}

/**
 * Releases the leases of earlier boots, once after each boot: their links and sandboxes went with it, but host-local's files are on a disk.
 * What cannot be released is left for GC.
 */
export async function releaseEarlierBoots(config: NetworkConfig, effects: LeftoverEffects): Promise<void> {
  const { journal, log } = effects;
  if (!journal.beginSweep()) return;
  journal.tidy();
  const items: JournalItem[] = [];
  for (const item of journal.list()) {
    // Links end with the boot: one that is there says that its attachment is of this one.
    const isEarlier =
      item.record === 'damaged'
        ? (await marksOf(item.attachment, config, effects)).length === 0
        : journal.isOfEarlierBoot(item.record);
    if (isEarlier) items.push(item);
  }
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
export async function cleanUpKilledAdd(
  attachment: AttachmentId,
  config: NetworkConfig,
  effects: LeftoverEffects,
): Promise<void> {
  const { journal } = effects;
  const record = journal.find(attachment);
  if (record === undefined) return;
  const { containerId, interfaceName } = attachment;
  if (record !== 'damaged' && journal.isInProgress(record)) {
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
 * @throws {CniError} 11 if another ADD of the same attachment has begun since {@link cleanUpKilledAdd}
 */
export function beginEntry(attachment: AttachmentId, facts: AttachmentFacts, journal: Journal): JournalEntry {
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
export function assertNotSuperseded(entry: JournalEntry, { containerId, interfaceName }: AttachmentId): void {
  if (entry.isStillThere()) return;
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `container ${containerId}, ${interfaceName}, was taken down by a DEL or GC while it was attached; what was made is undone`,
  );
}
