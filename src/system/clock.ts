import { pause } from './pause.ts';

/** Time as commands use it. */
export interface Clock {
  /** Waits, without blocking the event loop. Rejects with the reason of the signal if that is aborted first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** The clock of this machine. No change of the wall clock changes a duration. */
export function openClock(): Clock {
  return { sleep: pause };
}
