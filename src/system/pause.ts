import { untilAborted } from './until-aborted.ts';

/**
 * Waits. node:timers/promises does the same, but has to be loaded.
 *
 * @throws the reason of the signal, as soon as it is aborted
 */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  try {
    await (signal === undefined ? promise : untilAborted(promise, signal));
  } finally {
    clearTimeout(timer);
  }
}
