import { remainingMs, startDeadline, type Deadline } from './wire/deadline.ts';

/** The time that one command may spend on the API, however many requests it makes and whatever it does between them. */
export interface ApiBudget {
  /** Runs requests within what is left of the share. */
  spend<Value>(run: (deadline: Deadline) => Promise<Value>): Promise<Value>;
}

/**
 * @param totalMs the whole share
 * @param signal ends requests early; none for requests that undo
 */
export function openApiBudget(totalMs: number, signal?: AbortSignal): ApiBudget {
  let leftMs = totalMs;
  return {
    async spend(run) {
      const deadline = startDeadline(Math.max(0, leftMs), signal);
      try {
        return await run(deadline);
      } finally {
        // By the deadline's own clock, which does not count what the machine kept us waiting.
        leftMs = remainingMs(deadline);
      }
    },
  };
}
