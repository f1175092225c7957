import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 20_000;

/**
 * Resolves as soon as the condition holds, for states that nobody announces.
 *
 * @throws {Error} with `what`, if it does not hold in time
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > endsAtMs) throw new Error(`waited ${DEADLINE_MS} ms in vain: ${what}`);
    await pause(5);
  }
}
