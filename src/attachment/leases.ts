import type { CniResult } from '../cni/result.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { Attachment } from '../plan/attachment.ts';
import { planLookup, type Allocation, type Delegation } from '../plan/delegation.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/**
 * Allocates the addresses of an attachment.
 *
 * @throws {CniError} the IPAM plugin's own error; if host-local has no free address, with what its leases are used for
 */
export async function allocateLease(
  allocation: Allocation,
  attachment: Attachment,
  { delegate, journal, signal }: Pick<Effects, 'delegate' | 'journal' | 'signal'>,
): Promise<CniResult> {
  try {
    return await delegate.add(allocation, attachment, signal);
  } catch (error) {
    if (!(error instanceof CniError) || !error.message.includes(FULL)) throw error;
    const { code, message, details } = error;
    const usage = describeUsage(allocation, { delegate, journal });
    throw usage === undefined ? error : new CniError(code, `${message}; ${usage}`, { details, cause: error });
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
