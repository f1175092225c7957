import { readPodCidrs } from '../attachment/cluster-facts.ts';
import type { Effects } from '../attachment/effects.ts';
import { warnAboutGateway } from '../attachment/gateway.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { StatusRequest } from '../netconf/request.ts';
import { asksForIpv4, needsPodCidr, planAllocation, planLookup } from '../plan/delegation.ts';
import { messageOf } from '../system/error-text.ts';

/** How long an answer of the API is valid: runtimes ask every few seconds, on every node. */
const MAX_ANSWER_AGE_MS = 60_000;

/**
 * Reports whether an ADD would succeed. What would leave pods without a part of their network is a warning in the log.
 *
 * @throws {CniError} limitedConnectivity (51) if running pods have lost their interface on the node; notAvailable (50) if the IPAM plugin,
 *   the configuration or the API would make an ADD fail
 * @see SPEC.md 1.1.0, section 2, STATUS
 */
export async function status({ config }: StatusRequest, effects: Effects): Promise<void> {
  const { delegate, signal } = effects;
  await assertInterfacesExist(effects);
  if (asksForIpv4(config)) await warnAboutGateway(effects);
  await orNotAvailable(() => delegate.forward('STATUS', planLookup(config), signal));
  await orNotAvailable(() => assertUsableApi(config, effects));
}

async function assertInterfacesExist({ journal, kernel }: Effects): Promise<void> {
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces());
  const names = new Set(interfaces.map(({ name }) => name));
  const lost = journal.list().flatMap((item) => {
    if (item.kind === 'damaged' || item.record.stage !== 'attached' || journal.isOfEarlierBoot(item.record)) return [];
    const { attachment } = item.record;
    const isLost = !names.has(attachment.hostInterface.name) && kernel.sandboxExists(attachment.sandboxPath);
    return isLost ? [attachment] : [];
  });
  if (lost.length === 0) return;
  throw new CniError(
    ERROR_CODE.limitedConnectivity,
    `${lost.length} pods of this node have lost their host interface and their network; delete these pods, so that they are created again`,
    {
      details: lost
        .map(({ pod, hostInterface }) => `${pod?.namespace}/${pod?.name} (${hostInterface.name})`)
        .join(', '),
    },
  );
}

/** Asks the API once a minute, and when it accepts connections again; a connection alone costs the server nothing. */
async function assertUsableApi(config: NetworkConfig, effects: Effects): Promise<void> {
  const { cluster, statusCache } = effects;
  const isReachable = await cluster.isReachable();
  const known = statusCache.read(MAX_ANSWER_AGE_MS);
  if (known === undefined || known.isReachable !== isReachable) {
    try {
      await askApi(config, effects);
      statusCache.write({ failure: undefined, isReachable });
    } catch (error) {
      statusCache.write({ failure: messageOf(error), isReachable });
      throw error;
    }
  } else if (known.failure !== undefined) {
    throw new CniError(ERROR_CODE.notAvailable, known.failure, {
      details: 'as the API server answered within the last minute',
    });
  }
}

async function askApi(config: NetworkConfig, { agent, cluster, signal }: Effects): Promise<void> {
  const api = openApiBudget(cluster, config.budgets.addApiMs, signal);
  if (needsPodCidr(config)) planAllocation(config, await readPodCidrs(config, api, agent));
  else await api.probe();
}

async function orNotAvailable(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (!(cause instanceof CniError)) throw cause;
    const { message, details } = cause;
    throw new CniError(ERROR_CODE.notAvailable, `no pod can be attached on this node: ${message}`, { details, cause });
  }
}
