import type { ApiBudget } from '../cluster/api-budget.ts';
import { ApiUnreachableError } from '../cluster/api-error.ts';
import { CniError } from '../cni/error.ts';
import type { Attachment } from '../plan/attachment.ts';
import { clearEndpoint } from './endpoint.ts';
import type { Effects } from './effects.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * Notes that the endpoint of an attachment, which is removed from the node, remains to be cleared.
 *
 * @param record whether its record is still needed: an ADD that was superseded removes it itself
 */
export function keepEndpoint(
  attachment: Attachment,
  { why, record }: { readonly why: string; readonly record: 'done' | 'needed' },
  { journal, log }: Pick<Effects, 'journal' | 'log'>,
): void {
  const { namespace, name } = attachment.pod ?? {};
  log.warning(`the node is clean; a later command clears the endpoint of pod ${namespace}/${name}: ${why}`);
  if (record === 'needed') journal.noteEndpoint(attachment);
  else journal.keepEndpoint(attachment);
}

/**
 * Clears endpoints that an earlier command could not clear because the API was not available, within what is left of the budget.
 *
 * Stops if the API cannot be reached. Continues after an endpoint that the API server refuses to clear, so that one such endpoint does not
 * keep the others; gives up on it after {@link MAX_AGE_MS}.
 */
export async function finishPendingEndpoints(
  api: ApiBudget,
  { agent, journal, log }: Pick<Effects, 'agent' | 'journal' | 'log'>,
): Promise<void> {
  for (const item of journal.listEndpoints()) {
    try {
      if (item.kind === 'record') await clearEndpoint(item.record.attachment, agent, api);
    } catch (error) {
      const why = messageOf(error);
      if (!(error instanceof CniError) || error instanceof ApiUnreachableError) {
        log.info(`endpoints of earlier DELs remain to be cleared: ${why}`);
        return;
      }
      if (journal.endpointAgeMs(item) < MAX_AGE_MS) {
        log.info(`the endpoint of container ${item.id.containerId} remains to be cleared: ${why}`);
        continue;
      }
      log.warning(`giving up on clearing the endpoint of container ${item.id.containerId} after 24 hours: ${why}`);
    }
    journal.remove(item);
  }
}

const MAX_AGE_MS = 24 * 60 * 60 * 1000;
