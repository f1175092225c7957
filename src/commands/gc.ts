import {
  isCniName,
  isInterfaceName,
  parseContainerId,
  parseInterfaceName,
  type AttachmentId,
} from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { GcRequest } from '../netconf/request.ts';
import type { JournalItem } from '../journal/journal.ts';
import { planLookup } from '../plan/delegation.ts';
import { parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { Effects } from '../attachment/effects.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { releaseItem, releaseUnrecorded } from '../attachment/cleanup.ts';
import { finishPendingEndpoints } from '../attachment/pending-endpoints.ts';

/**
 * Takes down the attachments of this network that the runtime does not list: interfaces, leases, endpoints, records. Only what our own
 * records and aliases name is ever touched; what others know can only keep something. Goes on past what fails.
 *
 * @throws {CniError} at the end, naming all that remains
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
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  if (config.validAttachments === undefined) {
    log.warning('GC without a list of valid attachments: nothing is deleted, the IPAM plugin is asked alone');
  } else {
    const isValid = among(config.validAttachments);
    // One that begins from now on is not in the list, and none of our business.
    const stale = journal.list().filter((item) => !isValid(item.attachment) && !isInProgress(item, effects));
    for (const item of stale) {
      await attempt(`container ${item.attachment.containerId}`, () => releaseItem(item, config, effects));
    }
    await attempt('host interfaces', () => releaseOrphans(config, isValid, effects));
    await finishPendingEndpoints(config, openApiBudget(config.budgets.delApiMs, signal), effects);
    log.info(`GC: ${stale.length} stale of network ${config.name}, ${failures.length} remain`);
  }
  await attempt(`the IPAM plugin ${config.delegateType}`, () => delegate.forward('GC', planLookup(config), signal));
  if (failures.length === 0) return;
  throw new CniError(
    ERROR_CODE.inputOutput,
    `GC of network ${config.name} could not finish, the next one tries again`,
    {
      details: failures.join('; '),
    },
  );
}

/** Takes down what an alias names that has no record: the journal's disk was full when it was made. */
async function releaseOrphans(
  config: NetworkConfig,
  isValid: (attachment: AttachmentId) => boolean,
  effects: Effects,
): Promise<void> {
  const { journal, kernel, log } = effects;
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces('host'));
  for (const { name, alias } of interfaces) {
    const owner = parseHostInterfaceAlias(alias);
    if (owner?.network !== config.name || !isCniName(owner.containerId) || !isInterfaceName(owner.interfaceName))
      continue;
    const attachment = {
      containerId: parseContainerId(owner.containerId),
      interfaceName: parseInterfaceName(owner.interfaceName),
    };
    if (isValid(attachment) || journal.find(attachment) !== undefined) continue;
    log.warning(`host interface ${name} is of no valid container and has no record, it is taken down: ${alias}`);
    await releaseUnrecorded(attachment, config, effects);
  }
}

function isInProgress({ record }: JournalItem, { journal }: Effects): boolean {
  return record !== 'damaged' && journal.isInProgress(record);
}

function among(valid: readonly AttachmentId[]): (attachment: AttachmentId) => boolean {
  const keys = new Set(valid.map(keyOf));
  return (attachment) => keys.has(keyOf(attachment));
}

function keyOf({ containerId, interfaceName }: AttachmentId): string {
  return `${containerId}@${interfaceName}`;
}
