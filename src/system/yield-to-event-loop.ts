/**
 * Waits for one turn of the event loop, so that whatever is in progress can send what it has to send before the calling thread is blocked.
 * Functions that block the thread call this first.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
