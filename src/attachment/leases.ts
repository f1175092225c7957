import type { StartedDelegate } from '../delegate/run-delegate.ts';
import type { CniResult } from '../cni/result.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { Attachment } from '../plan/attachment.ts';
import { needsPodCidr, planAllocation, planLookup, type Allocation, type Delegation } from '../plan/delegation.ts';
import { parseLease, type Lease } from '../plan/lease.ts';
import { bothSettled } from './both-settled.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/** The addresses of an attachment, and what the API said about it. */
export interface AllocatedLease extends Pick<ClusterFacts, 'pod'> {
  readonly lease: Lease;
  readonly delegateType: string;
}

type AllocationEffects = Pick<Effects, 'delegate' | 'journal' | 'log' | 'podCidrCache' | 'signal'>;

/**
 * Allocates the addresses of an attachment while the API server is asked for what decides about them: the IPAM plugin takes as long as
 * the API. So it is given the podCIDRs that the last ADD of this boot saw. If the Node has others now, that lease is released before
 * anything else uses it.
 *
 * @param prepared the IPAM plugin, already started
 * @throws {CniError} what `reading` throws; invalidConfig (7) if the Node lacks a podCIDR; the IPAM plugin's own error, or
 *   delegateFailed (102). When it throws, the IPAM plugin has ended, and may have allocated a lease.
 */
export async function allocateLease(
  attachment: Attachment,
  config: NetworkConfig,
  reading: Promise<ClusterFacts>,
  prepared: StartedDelegate,
  effects: AllocationEffects,
): Promise<AllocatedLease> {
  const [{ pod, node }, early] = await bothSettled(reading, allocateEarly(attachment, config, prepared, effects));
  if (node !== undefined) effects.podCidrCache.write(node);
  const allocation = planAllocation(config, node);
  const result =
    early !== undefined && isSameAllocation(early.allocation, allocation)
      ? early.result()
      : await allocateAgain(allocation, early, attachment, prepared, effects);
  return { pod, lease: parseLease(result, allocation), delegateType: allocation.type };
}

/** An allocation that was tried before the API server had answered. */
interface EarlyLease {
  readonly allocation: Allocation;
  /** @throws {CniError} what the IPAM plugin answered, if it refused */
  readonly result: () => CniResult;
}

// Never rejects, because its failure only counts if the Node has the same podCIDRs.
async function allocateEarly(
  attachment: Attachment,
  config: NetworkConfig,
  prepared: StartedDelegate,
  effects: AllocationEffects,
): Promise<EarlyLease | undefined> {
  const allocation = planEarlyAllocation(config, effects.podCidrCache);
  if (allocation === undefined) return undefined;
  try {
    const result = await requestLease(allocation, attachment, prepared, effects);
    return { allocation, result: () => result };
  } catch (error) {
    return {
      allocation,
      result: () => {
        throw error;
      },
    };
  }
}

function planEarlyAllocation(config: NetworkConfig, cache: Effects['podCidrCache']): Allocation | undefined {
  const remembered = needsPodCidr(config) ? cache.read() : undefined;
  try {
    return planAllocation(config, remembered);
  } catch (error) {
    if (error instanceof CniError) return undefined; // this is the first ADD, or the network asks for another family now
    throw error;
  }
}

function isSameAllocation(one: Allocation, other: Allocation): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function allocateAgain(
  allocation: Allocation,
  early: EarlyLease | undefined,
  attachment: Attachment,
  prepared: StartedDelegate,
  effects: AllocationEffects,
): Promise<CniResult> {
  if (early === undefined) return requestLease(allocation, attachment, prepared, effects);
  effects.log.debug('the podCIDRs of this node have changed since the last ADD; asking for another lease');
  await effects.delegate.del(attachment);
  return requestLease(allocation, attachment, undefined, effects);
}

// If host-local has no free address, the message also says what its leases are used for.
async function requestLease(
  allocation: Allocation,
  attachment: Attachment,
  prepared: StartedDelegate | undefined,
  { delegate, journal, signal }: Pick<Effects, 'delegate' | 'journal' | 'signal'>,
): Promise<CniResult> {
  try {
    return await delegate.add(allocation, attachment, signal, prepared);
  } catch (error) {
    if (!(error instanceof CniError) || !error.message.includes(FULL)) throw error;
    const { code, message, details } = error;
    const usage = describeUsage(allocation, { delegate, journal });
    throw new CniError(code, usage === undefined ? message : `${message}; ${usage}`, {
      details,
      cause: error,
      finding: 'PW305',
    });
  }
}

/** What host-local says if a range has no free address. */
const FULL = 'no IP addresses available in range set';

function describeUsage(
  delegation: Delegation,
  { delegate, journal }: Pick<Effects, 'delegate' | 'journal'>,
): string | undefined {
  const leases = delegate.readLeases(delegation);
  if (leases.length === 0) return undefined;
  const known = new Set<string>(journal.list().map(({ id }) => id.containerId));
  const unknown = leases.filter(({ containerId }) => containerId !== undefined && !known.has(containerId)).length;
  const damaged = leases.filter(({ containerId }) => containerId === undefined).length;
  return (
    `${unknown} of ${leases.length} leases belong to containers that this node no longer knows` +
    (damaged === 0 ? '' : `, and ${damaged} are damaged and name no container`)
  );
}

/**
 * Removes the damaged leases of host-local that no attachment can own. host-local itself never does: it releases by the container's id, and
 * an empty file contains none (plugins#498).
 *
 * A lease is kept if the node has a route to its address, or if its text is the beginning of a lease of an attachment that is known.
 *
 * @param valid the attachments that the runtime lists
 * @throws {CniError} tryAgainLater (11) if host-local keeps its lock; kernelRefused (101)
 */
export async function removeDamagedLeases(
  config: NetworkConfig,
  valid: readonly AttachmentId[],
  { delegate, journal, kernel, log }: Pick<Effects, 'delegate' | 'journal' | 'kernel' | 'log'>,
): Promise<void> {
  const delegation = planLookup(config);
  if (delegate.readLeases(delegation).every(({ containerId }) => containerId !== undefined)) return;
  const known = [...valid, ...journal.list().map(({ id }) => id)];
  const texts = known.map(({ containerId, interfaceName }) => `${containerId}\r\n${interfaceName}`);
  const removed = await delegate.removeLeases(delegation, async ({ address, containerId, text }) => {
    if (containerId !== undefined) return false;
    if (text !== '' && texts.some((whole) => whole.startsWith(text))) return false;
    return !(await withKernelErrors('list routes', () => kernel.hasHostRoute(address)));
  });
  for (const { path } of removed) log.warning(`removed the damaged lease ${path}, which no container can own`);
}
