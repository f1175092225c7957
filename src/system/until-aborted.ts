/** Settles as the promise does, or rejects with the signal's reason, whichever comes first. */
export async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([ended, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
