import { beforeAll } from 'vitest';

/** Makes something before the tests of a file or a `describe`, and disposes of it after them: the last one made first. */
export function useForAllTests(make: () => Promise<AsyncDisposable>): void {
  beforeAll(async () => {
    const made = await make();
    return () => made[Symbol.asyncDispose]();
  });
}
