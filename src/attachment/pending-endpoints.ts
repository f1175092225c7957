import type { ApiBudget } from '../cluster/api-budget.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { Attachment } from '../plan/attachment.ts';
import { clearEndpoint } from './endpoint.ts';
import type { Effects } from './effects.ts';

/** Notes that the endpoint of an attachment, which is removed from the node, remains to be cleared. */
export function keepEndpoint(
  attachment: Attachment,
  why: string,
  { journal, log }: Pick<Effects, 'journal' | 'log'>,
): void {
  const { namespace, name } = attachment.pod ?? {};
  log.warning(`the node is clean; a later command clears the endpoint of pod ${namespace}/${name}: ${why}`);
  journal.keepEndpoint(attachment);
}

/**
 * Clears endpoints that an earlier command could not clear because the API was not available, within what is left of the budget. Stops at
 * the first failure: the API is not available again, and the rest waits for the next command.
 */
export async function finishPendingEndpoints(
  { nodeName }: Pick<NetworkConfig, 'nodeName'>,
  api: ApiBudget,
  { journal, log }: Pick<Effects, 'journal' | 'log'>,
): Promise<void> {
  for (const item of journal.listEndpoints()) {
    try {
      if (item.kind === 'record') await clearEndpoint(item.record.attachment, nodeName, api);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.info(`endpoints of earlier DELs remain to be cleared: ${why}`);
      return;
    }
    journal.remove(item.id);
  }
}
