import { CniError } from '../../../src/cni/error.ts';

/** Returns the CniError that the call throws. Throws if the call does not throw a CniError. */
export function cniFailure(call: () => unknown): CniError {
  const thrown = thrownBy(call);
  if (thrown instanceof CniError) return thrown;
  throw thrown ?? new Error('nothing was thrown, where a CniError was expected');
}

/** True if the call throws nothing, or a CniError with one of the codes. */
export function isAnswered(call: () => unknown, codes: readonly number[]): boolean {
  const thrown = thrownBy(call);
  return thrown === undefined || (thrown instanceof CniError && codes.includes(thrown.code));
}

function thrownBy(call: () => unknown): Error | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
