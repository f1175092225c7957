import { monotonicTime } from './node-process.ts';

/**
 * Milliseconds since an arbitrary moment, on a clock that changes of the wall clock do not affect.
 *
 * Not `performance.now()`: the first use of `performance` loads nine modules of Node, which costs each ADD and DEL a
 * millisecond.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = monotonicTime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}
