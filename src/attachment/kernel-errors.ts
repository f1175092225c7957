import { CniError, ERROR_CODE } from '../cni/error.ts';
import { KernelError } from '../system/kernel-error.ts';

/**
 * Runs an action of the kernel and translates its errors: a route that another interface has to routeTaken (104), others to kernelRefused
 * (101). Too many open files are an error of the node, not of the object: inputOutput (5).
 *
 * @param action what the command does, and to which object, for the message: `delete interface eth0 of container c1`
 * @throws {CniError} kernelRefused (101), routeTaken (104), inputOutput (5)
 */
export async function withKernelErrors<Value>(action: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    throw kernelRefusedError(action, cause);
  }
}

function kernelRefusedError(action: string, cause: KernelError): CniError {
  const details = `${cause.operation} ${cause.object}: ${cause.errnoName}`;
  if (cause.errnoName === 'EMFILE' || cause.errnoName === 'ENFILE') {
    return new CniError(ERROR_CODE.inputOutput, `cannot ${action}: ${cause.message}`, { details, cause });
  }
  if (cause.owner === undefined) {
    const { finding } = cause;
    return new CniError(ERROR_CODE.kernelRefused, `cannot ${action}: ${cause.message}`, { details, cause, finding });
  }
  return new CniError(
    ERROR_CODE.routeTaken,
    `cannot ${action}: ${cause.message}; find its owner with "ip route", and delete the route if nothing uses it`,
    { details, cause, finding: 'PW308' },
  );
}
