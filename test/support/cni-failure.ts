import { CniError } from '../../src/cni/error.ts';

/** The CniError that the call throws; fails if it throws none, or another error. */
export function cniFailure(call: () => unknown): CniError {
  try {
    call();
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error('nothing was thrown, where a CniError was expected');
}
