import { readPodCidrs } from '../attachment/cluster-facts.ts';
import type { Effects } from '../attachment/effects.ts';
import { warnAboutGateway } from '../attachment/gateway.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { StatusRequest } from '../netconf/request.ts';
import type { Attachment } from '../plan/attachment.ts';
import { asksForIpv4, needsPodCidr, planAllocation, planLookup } from '../plan/delegation.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * The least number of lost interfaces that is an error. A pod with NET_ADMIN can delete its own interface, and an error makes
 * the node NotReady, which evicts the other pods. So it is an error only if also more than half of the pods have lost theirs:
 * then something on the node deletes interfaces, and would delete those of new pods.
 */
const MIN_LOST = 2;

/**
 * Reports whether an ADD would succeed. What would leave pods without a part of their network is a warning in the log.
 *
 * @throws {CniError} limitedConnectivity (51) if most running pods have lost their interface on the node; notAvailable (50) if the IPAM plugin,
 *   the configuration or the API would make an ADD fail
 * @see SPEC.md 1.1.0, section 2, STATUS
 */
export async function status({ config }: StatusRequest, effects: Effects): Promise<void> {
  const { delegate, signal } = effects;
  // At the same time, because each of them mostly waits. A process takes the longest.
  const forwarded = orNotAvailable(() => delegate.forward('STATUS', planLookup(config), signal));
  const outcomes = await Promise.allSettled([
    assertMostInterfacesExist(effects),
    forwarded,
    orNotAvailable(() => assertUsableApi(config, effects)),
    asksForIpv4(config) ? warnAboutGateway(effects) : undefined,
  ]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function assertMostInterfacesExist(effects: Effects): Promise<void> {
  const { attached, lost: candidates } = await findLostInterfaces(effects);
  if (candidates.length === 0) return;
  // A second time: an ADD may have written its record, or a DEL may have deleted the interface, between the two reads.
  const again = new Set((await findLostInterfaces(effects)).lost.map(keyOf));
  const lost = candidates.filter((attachment) => again.has(keyOf(attachment)));
  if (lost.length === 0) return;
  const names = lost
    .map(({ pod, hostInterface }) => `${pod?.namespace}/${pod?.name} (${hostInterface.name})`)
    .join(', ');
  if (lost.length < MIN_LOST || lost.length * 2 <= attached.length) {
    effects.log.warning(
      `${lost.length} of ${attached.length} pods of this node have lost their host interface: ${names}; delete them, so that they are created again`,
    );
    return;
  }
  throw new CniError(
    ERROR_CODE.limitedConnectivity,
    `${lost.length} pods of this node have lost their host interface and their network; delete these pods, so that they are created again`,
    { details: names, finding: 'PW601' },
  );
}

/** The attachments that the runtime has and whose sandbox exists, and those of them that have no host interface. */
async function findLostInterfaces({ journal, kernel }: Effects) {
  // The records first: an interface is created before its record says that it is attached.
  const attached = journal.list().flatMap((item) => {
    if (item.kind === 'damaged' || item.record.stage !== 'attached' || journal.isOfEarlierBoot(item.record)) return [];
    return kernel.sandboxExists(item.record.attachment.sandboxPath) ? [item.record.attachment] : [];
  });
  if (attached.length === 0) return { attached, lost: [] };
  const interfaces = await withKernelErrors('list host interfaces', () => kernel.listInterfaces());
  const names = new Set(interfaces.map(({ name }) => name));
  return { attached, lost: attached.filter(({ hostInterface }) => !names.has(hostInterface.name)) };
}

function keyOf({ id: { containerId, interfaceName } }: Attachment): string {
  return `${containerId}@${interfaceName}`;
}

/**
 * Asks the API once a minute, every few seconds while it fails, and immediately when it accepts connections again or the
 * credentials have changed; a connection alone costs the server nothing.
 */
async function assertUsableApi(config: NetworkConfig, effects: Effects): Promise<void> {
  const { cluster, statusCache } = effects;
  const { isReachable, connectionId } = await cluster.checkServer();
  const known = statusCache.read();
  if (known === undefined || known.isReachable !== isReachable || known.connectionId !== connectionId) {
    try {
      await askApi(config, effects);
      statusCache.write({ failure: undefined, isReachable, connectionId });
    } catch (error) {
      const finding = error instanceof CniError ? error.finding : undefined;
      statusCache.write({ failure: messageOf(error), finding, isReachable, connectionId });
      throw error;
    }
  } else if (known.failure !== undefined) {
    throw new CniError(ERROR_CODE.notAvailable, known.failure, {
      details: 'as the API server answered a few seconds ago',
      finding: known.finding,
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
    const { message, details, finding } = cause;
    const options = { details, cause, finding };
    throw new CniError(ERROR_CODE.notAvailable, `no pod can be attached on this node: ${message}`, options);
  }
}
