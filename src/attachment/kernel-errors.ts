import { CniError, ERROR_CODE } from '../cni/error.ts';
import { KernelError } from '../system/kernel-error.ts';

/**
 * Runs an action of the kernel's and translates what it refuses: a route that another interface has to 104, all else to 101.
 *
 * @param action what was being done, and to whom, for the message
 */
export async function withKernelErrors<Value>(action: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (cause) {
    throw translateKernelError(action, cause);
  }
}

/** What the kernel refused, as a runtime is told it. What is no refusal of the kernel's stays as it is. */
export function translateKernelError(action: string, cause: unknown): unknown {
  if (!(cause instanceof KernelError)) return cause;
  const details = `${cause.operation} ${cause.object}: ${cause.errnoName}`;
  if (cause.owner === undefined) {
    return new CniError(ERROR_CODE.kernelRefused, `cannot ${action}: ${cause.message}`, { details, cause });
  }
  return new CniError(
    ERROR_CODE.routeTaken,
    `cannot ${action}: ${cause.message}; see with "ip route" whose it is, and delete it if nobody's`,
    { details, cause },
  );
}
