import { CniError, ERROR_CODE } from '../cni/error.ts';
import { KernelError } from '../kernel/kernel-error.ts';

/**
 * Runs an action of the kernel's and translates what it refuses: a route that another interface has to 104, all else to 101.
 *
 * @param action what was being done, and to whom, for the message
 */
export async function inKernel<Value>(action: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    const details = `${cause.operation} ${cause.object}: ${cause.errnoName}`;
    if (cause.owner === undefined) {
      throw new CniError(ERROR_CODE.kernelRefused, `cannot ${action}: ${cause.message}`, { details, cause });
    }
    throw new CniError(
      ERROR_CODE.routeTaken,
      `cannot ${action}: the node has a route to this address by interface ${cause.owner} already; ` +
        `see with "ip route" and "ip link show ${cause.owner}" whose it is, and delete it if nobody's`,
      { details, cause },
    );
  }
}
