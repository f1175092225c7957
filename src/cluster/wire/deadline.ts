import { readFileSync } from 'node:fs';
import { cpuCount } from '../../system/cpu-count.ts';
import { untilAborted } from '../../system/until-aborted.ts';
import { monotonicMs } from '../../system/monotonic-clock.ts';

/** The end of the time for some work. It belongs to this work and ends with it: dispose of it when the work is done. */
export interface Deadline extends Disposable {
  /** Aborted when the time is used up, or with the parent. Its reason is an Error that says which. */
  readonly signal: AbortSignal;
  /** The time left in milliseconds; 0 when the deadline has passed. */
  remainingMs(): number;
}

/** The time is used up, or the command was told to stop. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Starts a deadline that ends in `totalMs`, or with `parent` (a signal to the process). Its timer keeps no process alive. Time for which
 * this thread was blocked does not count, as in {@link startBudget}.
 */
export function startDeadline(totalMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const expire = (): void =>
    controller.abort(new DeadlineError(`the time set for it, ${Math.round(totalMs)} ms, was used up`));
  const clock = startClock(totalMs, expire);
  clock.unref();
  const stop = (): void => {
    clock.stop();
    controller.abort(new DeadlineError('the command was told to stop'));
  };
  if (parent?.aborted === true) stop();
  else parent?.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    remainingMs: () => (controller.signal.aborted ? 0 : clock.leftMs()),
    [Symbol.dispose]: () => {
      clock.stop();
      parent?.removeEventListener('abort', stop);
    },
  };
}

/**
 * Calls `expire` once after `budgetMs`, unless it is disposed of earlier.
 *
 * Time for which this thread was blocked (the kernel deleting a link, a machine without a free CPU) does not count: what has arrived in
 * the meantime is still unread in the socket, and timers run before sockets are read.
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
 * Counts time down in short ticks. A tick that comes late does not count, nor does one on a crowded machine: where every thread waits for a
 * CPU, a server on the same machine does too, and it has not failed. A limit on such ticks makes the clock end on a machine that is
 * always crowded.
 */
function startClock(totalMs: number, expire: () => void): Clock {
  let countedMs = 0;
  let forgivableMs = Math.min(totalMs * FORGIVEN_TIMES + FORGIVEN_MIN_MS, MAX_FORGIVEN_MS);
  let tickMs = 0;
  let begunAtMs = 0;
  let isStopped = false;
  let isUnreferenced = false;
  let timer: NodeJS.Timeout;
  const begin = (): void => {
    tickMs = Math.min(TICK_MS, totalMs - countedMs);
    begunAtMs = monotonicMs();
    timer = setTimeout(end, tickMs);
    if (isUnreferenced) timer.unref();
  };
  const end = (): void => {
    const tookMs = monotonicMs() - begunAtMs;
    if (forgivableMs > 0 && (tookMs > tickMs + LATE_MS || isCrowded())) forgivableMs -= tookMs;
    else countedMs += tookMs;
    if (countedMs < totalMs) begin();
    // After the sockets have been read in this turn of the event loop.
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
    return Number(runnable) > CROWD_PER_CPU * cpuCount();
  } catch {
    return false;
  }
}

const CROWD_PER_CPU = 8;
const TICK_MS = 50;
const LATE_MS = 25;
const FORGIVEN_TIMES = 3;
const FORGIVEN_MIN_MS = 1000;
/** With the 4 s that ADD has for the API, an API server that does not answer ends ADD within about 7 s on a crowded machine. */
const MAX_FORGIVEN_MS = 3000;

/** Settles as the promise does, or rejects with the deadline's reason, whichever comes first. */
export function untilDeadline<Value>(promise: Promise<Value>, { signal }: Deadline): Promise<Value> {
  return untilAborted(promise, signal);
}
