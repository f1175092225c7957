import type { Cidr } from '../address/cidr.ts';
import { openApiClient } from '../cluster/api-client.ts';
import { readNode } from '../cluster/cluster.ts';
import { startDeadline } from '../cluster/wire/deadline.ts';
import { isExplained } from './install-error.ts';
import { readOwnConnection, type ApiIo } from './service-account.ts';

/** Reads the podCIDRs of a Node, and remembers them: they never change once they are set. Empty while they are unknown. */
export function openNodePodCidrs(
  nodeName: string,
  { environment, log, signal }: ApiIo,
): () => Promise<readonly Cidr[]> {
  let known: readonly Cidr[] = [];
  let reading: Promise<readonly Cidr[]> | undefined;
  const read = async (): Promise<readonly Cidr[]> => {
    using client = openApiClient({ connect: () => readOwnConnection(environment), budgets: BUDGETS, log });
    using deadline = startDeadline(TOTAL_MS, signal);
    const node = await readNode(client, nodeName, deadline);
    return node === 'absent' ? [] : node.podCidrs;
  };
  return async () => {
    if (known.length > 0) return known;
    reading ??= read().finally(() => (reading = undefined));
    try {
      known = await reading;
    } catch (error) {
      if (!isExplained(error)) throw error;
      log.debug(`the metrics do not know the podCIDRs: ${error.message}`);
    }
    return known;
  };
}

// Below the 10 s after which Prometheus gives up by default.
const BUDGETS = { apiConnectMs: 1000, apiRequestMs: 2000 };
const TOTAL_MS = 4000;
