/** A moment after which nobody waits any longer. */
export interface Deadline {
  /** On the clock of `performance.now()`, which no change of the wall clock moves. */
  readonly endsAtMs: number;
  /** Aborted at that moment, or with the parent. Its reason is an Error that says which. */
  readonly signal: AbortSignal;
}

/** Time has run out, or the command was told to stop. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * A deadline that ends `totalMs` from now, or with `parent` (a signal to the process). Its timer keeps no process alive.
 */
export function startDeadline(totalMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const expire = () => controller.abort(new DeadlineError(`the time set for it, ${totalMs} ms, was used up`));
  const timer = setTimeout(expire, totalMs);
  timer.unref();
  const stop = () => {
    clearTimeout(timer);
    controller.abort(new DeadlineError('the command was told to stop'));
  };
  if (parent?.aborted === true) stop();
  else parent?.addEventListener('abort', stop, { once: true });
  return { endsAtMs: performance.now() + totalMs, signal: controller.signal };
}

/** Milliseconds until the deadline; 0 when it has passed. */
export function remainingMs({ endsAtMs, signal }: Deadline): number {
  return signal.aborted ? 0 : Math.max(0, endsAtMs - performance.now());
}

/**
 * Calls `expire` once after `budgetMs`, unless stopped before.
 *
 * Time in which this thread stood still (the kernel deleting a link, a delegate run synchronously, a machine with no CPU to
 * spare) does not count: what has arrived meanwhile lies unread in the socket, and timers run before sockets are read.
 */
export function startBudget(budgetMs: number, expire: () => void): Disposable {
  let timer = setTimeout(check, budgetMs, performance.now() + budgetMs);
  let isStopped = false;
  function check(dueAtMs: number): void {
    const lateMs = performance.now() - dueAtMs;
    // After the sockets have been read in this turn of the loop.
    setImmediate(() => {
      if (isStopped) return;
      if (lateMs < LATE_MS) expire();
      else timer = setTimeout(check, lateMs, performance.now() + lateMs);
    });
  }
  return {
    [Symbol.dispose]: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const LATE_MS = 25;

/**
 * The promise's own end, or a rejection with the deadline's reason, whichever comes first.
 */
export async function untilDeadline<Value>(promise: Promise<Value>, { signal }: Deadline): Promise<Value> {
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

/** Waits, unless the deadline comes first: then rejects with its reason. */
export async function pause(waitMs: number, deadline: Deadline): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  try {
    await untilDeadline(promise, deadline);
  } finally {
    clearTimeout(timer);
  }
}
