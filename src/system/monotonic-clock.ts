import { hrtime } from 'node:process';

/**
 * Milliseconds on a clock that no change of the wall clock moves, from an arbitrary beginning.
 *
 * Not `performance.now()`: the first use of `performance` loads nine modules of Node, for a millisecond of each ADD and DEL.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}
