import { startDeadline, type Deadline } from '../cluster/deadline.ts';

/** The time that one command may spend on the API, however many requests it makes and whatever it does between them. */
export interface ApiShare {
  /** Runs requests within what is left of the share. */
  spend<Value>(run: (deadline: Deadline) => Promise<Value>): Promise<Value>;
}

/**
 * @param totalMs the whole share
 * @param signal ends requests early; none for requests that undo
 */
export function openApiShare(totalMs: number, signal?: AbortSignal): ApiShare {
  let leftMs = totalMs;
  return {
    async spend(run) {
      const startedMs = performance.now();
      try {
        return await run(startDeadline(Math.max(0, leftMs), signal));
      } finally {
        leftMs -= performance.now() - startedMs;
      }
    },
  };
}
