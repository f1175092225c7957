/**
 * Milliseconds after which a token is renewed: between 70 % and 80 % of its life, so that the nodes of a cluster that
 * started together do not ask together.
 *
 * @param chance 0 to 1
 */
export function renewAfterMs(lifeMs: number, chance: number): number {
  return Math.max(0, lifeMs) * (0.8 - 0.1 * chance);
}

/**
 * Milliseconds to wait after the nth failure in a row (from 1 on): 1 s, doubled each time, at most five minutes; half of it
 * is by chance.
 *
 * @param chance 0 to 1
 */
export function retryAfterMs(failures: number, chance: number): number {
  const mostMs = Math.min(1000 * 2 ** (failures - 1), 300_000);
  return mostMs * (1 - chance / 2);
}
