import { setTimeout as pause } from 'node:timers/promises';

/** Whether a server answers well, within a second. */
export function answersOk(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

export interface WaitOptions {
  readonly deadlineMs?: number;
  /** What waiting ends with at once, if it rejects. */
  readonly failure?: Promise<never>;
  /** What is known when the deadline has passed. */
  readonly explain?: () => Promise<string>;
}

/**
 * Resolves as soon as the condition holds, for what takes a node seconds: its parts ask each other, too.
 *
 * @throws {Error} with `what`, if it does not hold in time
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { deadlineMs = 60_000, failure, explain }: WaitOptions = {},
): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  const orFailure = <T>(value: Promise<T>) => (failure === undefined ? value : Promise.race([value, failure]));
  while (!(await orFailure(Promise.resolve(holds())))) {
    if (performance.now() > endsAtMs) {
      throw new Error(`waited ${deadlineMs} ms in vain: ${what}\n${(await explain?.()) ?? ''}`);
    }
    await orFailure(pause(50));
  }
}
