import { expect, it } from 'vitest';
import { inBackground } from '../../src/attachment/in-background.ts';

it('inBackground returns the result or the error of the work to the one who awaits it', async () => {
  const failing = inBackground(Promise.reject(new Error('the API is not available')));
  await expect(failing).rejects.toThrow('the API is not available');
  await expect(inBackground(Promise.resolve(7))).resolves.toBe(7);
});

it('inBackground ignores the failure of work that is never awaited', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  const ignored = [inBackground(Promise.reject(new Error('the API is not available')))];
  await new Promise(setImmediate); // Node reports unhandled rejections in this turn
  process.off('unhandledRejection', listen);
  expect([ignored.length, unhandled]).toEqual([1, []]);
});
