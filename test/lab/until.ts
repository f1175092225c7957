import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** 20 seconds by default. */
  readonly deadlineMs?: number;
  /** The wait ends immediately if this rejects, for example because a server has ended. */
  readonly failure?: Promise<never>;
  /** Describes the state after the deadline has passed. */
  readonly explain?: () => string | Promise<string>;
}

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 50;

/**
 * Resolves as soon as the condition holds, for states that send no event. It checks often at first, then 20 times a second.
 *
 * @param what the state, for the error message
 * @throws {Error} with `what`, if the condition does not hold in time
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { deadlineMs = 20_000, failure, explain = () => '' }: UntilOptions = {},
): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  const orFailure = <T>(value: Promise<T>) => (failure === undefined ? value : Promise.race([value, failure]));
  for (let pauseMs = FIRST_PAUSE_MS; !(await orFailure(Promise.resolve(holds()))); pauseMs *= 1.2) {
    if (performance.now() > endsAtMs) {
      throw new Error(`waited ${deadlineMs} ms in vain: ${what}\n${await explain()}`.trimEnd());
    }
    await orFailure(pause(Math.min(pauseMs, MAX_PAUSE_MS)));
  }
}
