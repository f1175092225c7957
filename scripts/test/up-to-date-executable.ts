import { ensureExecutable } from '../../build/up-to-date.ts';

/** Before the tests of a project of vitest that run the executable: builds it if it is stale, unless PODWIRE_EXECUTABLE names one. */
export async function setup(): Promise<void> {
  if (process.env['PODWIRE_EXECUTABLE'] === undefined) await ensureExecutable();
}
