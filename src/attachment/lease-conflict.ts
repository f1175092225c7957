import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Lease } from '../plan/lease.ts';
import { withKernelErrors } from './kernel-errors.ts';

/**
 * Rejects a lease of an address that the node itself has: the node would keep the packets for the pod.
 *
 * @throws {CniError} delegateFailed (102) naming the address and the interface
 */
export async function assertNotAddressOfNode(
  { addresses }: Pick<Lease, 'addresses'>,
  delegateType: string,
  { kernel }: { readonly kernel: Pick<Kernel, 'findHostAddress'> },
): Promise<void> {
  const found = await withKernelErrors('look up the leased addresses', () => kernel.findHostAddress(addresses));
  if (found === undefined) return;
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${delegateType} returned ${found.address.text}, which is an address of this node itself ` +
      `(interface ${found.interfaceName}); exclude it with rangeStart and rangeEnd in ipam, or remove it from the interface`,
    { details: `addresses: ${addresses.map(({ text }) => text).join(', ')}` },
  );
}
