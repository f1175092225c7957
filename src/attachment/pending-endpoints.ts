import type { NetworkConfig } from '../netconf/network-config.ts';
import type { ApiBudget } from '../cluster/api-budget.ts';
import type { Effects } from './effects.ts';
import { readAndClearEndpoint } from './endpoint.ts';

/**
 * Clears endpoints that an earlier command could not clear, because the API was away, within what is left of the share. The first failure
 * ends it: the API is away again, and the rest waits for the next command.
 */
export async function finishPendingEndpoints(
  config: NetworkConfig,
  api: ApiBudget,
  { cluster, journal, log }: Pick<Effects, 'cluster' | 'journal' | 'log'>,
): Promise<void> {
  for (const { attachment, record } of journal.listEndpoints()) {
    const pod = record === 'damaged' ? undefined : record.pod;
    try {
      if (record !== 'damaged' && pod !== undefined) {
        const request = { attachment, config, args: { pod, podUid: record.podUid, raw: record.cniArgs } };
        await api.spend((deadline) => readAndClearEndpoint(request, pod, cluster, deadline));
      }
    } catch (error) {
      log.info(
        `endpoints of earlier DELs are still to be cleared: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    journal.remove(attachment);
  }
}
