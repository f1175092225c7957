import { cleanUpItem, cleanUpUnrecorded } from '../attachment/cleanup.ts';
import type { Effects } from '../attachment/effects.ts';
import { listLabelled } from '../attachment/find-known.ts';
import { removeDamagedLeases } from '../attachment/leases.ts';
import { finishPendingEndpoints } from '../attachment/pending-endpoints.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { JournalItem } from '../journal/journal.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { GcRequest } from '../netconf/request.ts';
import type { Attachment } from '../plan/attachment.ts';
import { planLookup } from '../plan/delegation.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * Removes the attachments of this network that the runtime does not list: interfaces, leases, endpoints, records. Candidates come only from
 * our own records and aliases; other sources can only prevent a removal. Continues after errors.
 *
 * @throws {CniError} inputOutput (5) at the end, naming everything that remains
 * @see SPEC.md 1.1.0, section 2, GC
 */
export async function gc({ config }: GcRequest, effects: Effects): Promise<void> {
  const { delegate, journal, log, signal } = effects;
  journal.tidy();
  const failures: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
    }
  };

  if (config.validAttachments === undefined) {
    log.warning('GC without a list of valid attachments: deleting nothing, and forwarding GC to the IPAM plugin');
  } else {
    const isValid = containedIn(config.validAttachments);
    // ADDs that start after this point are not in the list and must not be touched.
    const stale = journal.list().filter((item) => !isValid(item.id) && !isInProgress(item, effects));
    for (const item of stale) {
      await attempt(`container ${item.id.containerId}`, () => cleanUpItem(item, config, effects));
    }
    await attempt('host interfaces', () => removeOrphans(config, isValid, effects));
    const valid = config.validAttachments;
    await attempt('damaged leases', () => removeDamagedLeases(config, valid, effects));
    await finishPendingEndpoints(openApiBudget(effects.cluster, config.budgets.delApiMs, signal), effects);
    log.info(`GC: ${stale.length} stale attachments of network ${config.name}, ${failures.length} remain`);
  }
  await attempt(`the IPAM plugin ${config.delegateType}`, () => delegate.forward('GC', planLookup(config), signal));
  if (failures.length === 0) return;
  throw new CniError(ERROR_CODE.inputOutput, `GC of network ${config.name} is incomplete and will be retried`, {
    details: failures.join('; '),
  });
}

/** Removes what an alias names and no record does: the journal's disk was full when it was created. */
async function removeOrphans(
  config: NetworkConfig,
  isValid: (id: AttachmentId) => boolean,
  effects: Effects,
): Promise<void> {
  const all = await listLabelled(config, effects);
  forgetRejected(all, isValid, effects);
  for (const { id, hostInterface, network } of all) {
    if (network !== config.name || isValid(id) || effects.journal.find(id) !== undefined) continue;
    const { name, alias } = hostInterface;
    effects.log.warning(
      `host interface ${name} belongs to no valid container and has no record; removing it (alias ${alias})`,
    );
    await cleanUpUnrecorded(id, config, effects);
  }
}

/** Removes the notes of rejected ADDs whose interface no other network has any more. */
function forgetRejected(
  labelled: readonly Attachment[],
  isValid: (id: AttachmentId) => boolean,
  { journal }: Pick<Effects, 'journal'>,
): void {
  const isInUse = containedIn(labelled.map(({ id }) => id));
  for (const id of journal.listRejected()) if (!isValid(id) && !isInUse(id)) journal.forgetRejected(id);
}

function isInProgress(item: JournalItem, { journal }: Pick<Effects, 'journal'>): boolean {
  return item.kind === 'record' && journal.isInProgress(item.record);
}

function containedIn(valid: readonly AttachmentId[]): (id: AttachmentId) => boolean {
  const keys = new Set(valid.map(keyOf));
  return (id) => keys.has(keyOf(id));
}

function keyOf({ containerId, interfaceName }: AttachmentId): string {
  return `${containerId}@${interfaceName}`;
}
