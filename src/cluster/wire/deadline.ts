import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { monotonicMs } from '../../system/monotonic-clock.ts';

/** A moment after which nobody waits any longer. */
export interface Deadline {
  /** On the clock of `monotonicMs()`, which no change of the wall clock moves. Later from look to look, if this thread stands still. */
  readonly endsAtMs: number;
  /** Aborted at that moment, or with the parent. Its reason is an Error that says which. */
  readonly signal: AbortSignal;
}

/** Time has run out, or the command was told to stop. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * A deadline that ends `totalMs` from now, or with `parent` (a signal to the process). Its timer keeps no process alive. Time in which this
 * thread stood still does not count, as with {@link startBudget}.
 */
export function startDeadline(totalMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const expire = () =>
    controller.abort(new DeadlineError(`the time set for it, ${Math.round(totalMs)} ms, was used up`));
  const clock = startClock(totalMs, expire);
  clock.unref();
  const stop = () => {
    clock.stop();
    controller.abort(new DeadlineError('the command was told to stop'));
  };
  if (parent?.aborted === true) stop();
  else parent?.addEventListener('abort', stop, { once: true });
  return {
    get endsAtMs() {
      return monotonicMs() + clock.leftMs();
    },
    signal: controller.signal,
  };
}

/** Milliseconds until the deadline; 0 when it has passed. */
export function remainingMs({ endsAtMs, signal }: Deadline): number {
  return signal.aborted ? 0 : Math.max(0, endsAtMs - monotonicMs());
}

/**
 * Calls `expire` once after `budgetMs`, unless stopped before.
 *
 * Time in which this thread stood still (the kernel deleting a link, a delegate run synchronously, a machine with no CPU to
 * spare) does not count: what has arrived meanwhile lies unread in the socket, and timers run before sockets are read.
 */
export function startBudget(budgetMs: number, expire: () => void): Disposable {
  const clock = startClock(budgetMs, expire);
  return { [Symbol.dispose]: clock.stop };
}

interface Clock {
  readonly leftMs: () => number;
  readonly stop: () => void;
  readonly unref: () => void;
}

/**
 * Counts time down in short ticks. One that comes late is not counted, nor one on a crowded machine: where each has to wait for a CPU, what we
 * wait for does too, and a server on the same machine has not failed. Up to a limit, so that it does end on a machine that is always so.
 */
function startClock(totalMs: number, expire: () => void): Clock {
  let countedMs = 0;
  let forgivableMs = totalMs * FORGIVEN_TIMES + FORGIVEN_MIN_MS;
  let [tickMs, begunAtMs] = [0, 0];
  let [isStopped, isUnreferenced] = [false, false];
  let timer: NodeJS.Timeout;
  const begin = (): void => {
    [tickMs, begunAtMs] = [Math.min(TICK_MS, totalMs - countedMs), monotonicMs()];
    timer = setTimeout(end, tickMs);
    if (isUnreferenced) timer.unref();
  };
  const end = (): void => {
    const tookMs = monotonicMs() - begunAtMs;
    if (forgivableMs > 0 && (tookMs > tickMs + LATE_MS || isCrowded())) forgivableMs -= tookMs;
    else countedMs += tickMs;
    if (countedMs < totalMs) begin();
    // After the sockets have been read in this turn of the loop.
    else setImmediate(() => isStopped || expire());
  };
  begin();
  return {
    leftMs: () => Math.max(0, totalMs - countedMs - Math.min(tickMs, monotonicMs() - begunAtMs)),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
    unref() {
      isUnreferenced = true;
      timer.unref();
    },
  };
}

/** True while many more threads are ready to run than there are CPUs. */
function isCrowded(): boolean {
  try {
    const [, runnable] = /^\S+ \S+ \S+ (\d+)\//.exec(readFileSync('/proc/loadavg', 'latin1')) ?? [];
    return Number(runnable) > CROWD_PER_CPU * availableParallelism();
  } catch {
    return false;
  }
}

const CROWD_PER_CPU = 8;
const TICK_MS = 50;
const LATE_MS = 25;
const FORGIVEN_TIMES = 3;
const FORGIVEN_MIN_MS = 1000;

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
