/**
 * Milliseconds after which a token is renewed: between 70 % and 80 % of its lifetime, so that nodes that started at the
 * same time do not send their requests at the same time.
 *
 * @param chance a random number from 0 to 1
 */
export function renewAfterMs(lifeMs: number, chance: number): number {
  return Math.max(0, lifeMs) * (0.8 - 0.1 * chance);
}

/**
 * Milliseconds to wait after a number of failures in a row: 1 s after the first, doubled with each, at most one
 * minute; up to half of it is randomly left out. So a node is ready again soon after the cause is gone.
 *
 * @param chance a random number from 0 to 1
 */
export function retryAfterMs(failures: number, chance: number): number {
  const maxMs = Math.min(1000 * 2 ** (failures - 1), 60_000);
  return maxMs * (1 - chance / 2);
}
