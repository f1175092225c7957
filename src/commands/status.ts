import { existsSync } from 'node:fs';
import { readNodeName } from '../agent/node-name.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { StatusRequest } from '../netconf/request.ts';
import { needsPodCidr, planAllocation, planLookup } from '../plan/delegation.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { Effects } from '../attachment/effects.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { readPodCidrs } from '../attachment/cluster-facts.ts';

/** How long an answer of the API is good for: runtimes ask every few seconds, on every node. */
const ANSWER_MS = 60_000;

/**
 * Says whether an ADD would succeed.
 *
 * @throws {CniError} 51 if pods that run have lost their interface on the node; 50 if the delegate, the configuration or the API would make
 *   an ADD fail
 * @see SPEC.md 1.1.0, section 2, STATUS
 */
export async function status({ config }: StatusRequest, effects: Effects): Promise<void> {
  const { delegate, signal } = effects;
  await refuseLostInterfaces(effects);
  await unavailable(() => delegate.forward('STATUS', planLookup(config), signal));
  await unavailable(() => refuseUnusableApi(config, effects));
}

async function refuseLostInterfaces({ journal, kernel }: Effects): Promise<void> {
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces('host'));
  const names = new Set(interfaces.map(({ name }) => name));
  const lost = journal.list().flatMap(({ record }) => {
    if (record === 'damaged' || record.stage !== 'attached' || journal.isOfEarlierBoot(record)) return [];
    return names.has(record.hostInterface) || !existsSync(record.sandboxPath) ? [] : [record];
  });
  if (lost.length === 0) return;
  throw new CniError(
    ERROR_CODE.limitedConnectivity,
    `${lost.length} pods of this node have lost their host interface and with it their network; delete these pods, so that they are attached anew`,
    { details: lost.map(({ pod, hostInterface }) => `${pod?.namespace}/${pod?.name} (${hostInterface})`).join(', ') },
  );
}

/** Asks the API once a minute, and when it takes connections again; a connection alone costs the server nothing. */
async function refuseUnusableApi(config: NetworkConfig, effects: Effects): Promise<void> {
  const { cluster, statusCache } = effects;
  const isReachable = await cluster.isReachable();
  const known = statusCache.read(ANSWER_MS);
  if (known === undefined || known.isReachable !== isReachable) {
    try {
      await askApi(config, effects);
      statusCache.write({ failure: undefined, isReachable });
    } catch (error) {
      statusCache.write({ failure: error instanceof Error ? error.message : String(error), isReachable });
      throw error;
    }
  } else if (known.failure !== undefined) {
    throw new CniError(ERROR_CODE.notAvailable, known.failure, {
      details: 'as the API server answered within the last minute',
    });
  }
}

async function askApi(config: NetworkConfig, { cluster, signal }: Effects): Promise<void> {
  const api = openApiBudget(config.budgets.addApiMs, signal);
  await api.spend(async (deadline) => {
    if (needsPodCidr(config)) {
      planAllocation(config, await readPodCidrs(config.podCidrNodeName ?? readNodeName(config), cluster, deadline));
    } else {
      await cluster.probe(deadline);
    }
  });
}

async function unavailable(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (!(cause instanceof CniError)) throw cause;
    const { message, details } = cause;
    throw new CniError(ERROR_CODE.notAvailable, `no pod can be attached on this node: ${message}`, { details, cause });
  }
}
