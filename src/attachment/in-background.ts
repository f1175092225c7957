/**
 * Begins work that is awaited later. Should this command fail before it does, the failure of that work is nobody's any more.
 */
export function inBackground<Value>(work: Promise<Value>): Promise<Value> {
  work.catch(() => undefined);
  return work;
}

/** Does what must not overtake work that is under way: once that has ended, however it did. */
export async function afterSettled<Value>(
  work: Promise<unknown> | undefined,
  action: () => Promise<Value>,
): Promise<Value> {
  await work?.catch(() => undefined);
  return action();
}

/** One turn of the event loop: what is under way can send what it has to send, before this thread is busy with other things. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
