import { expect, it } from 'vitest';
import { yieldToEventLoop, inBackground } from '../../src/attachment/in-background.ts';

it('work under way ends as it ends, whoever awaits it', async () => {
  const failing = inBackground(Promise.reject(new Error('the API is away')));
  await expect(failing).rejects.toThrow('the API is away');
  await expect(inBackground(Promise.resolve(7))).resolves.toBe(7);
});

it('work whose command has failed before fails unheard', async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', listen);
  const unawaited = [inBackground(Promise.reject(new Error('the API is away')))];
  await new Promise((resolve) => {
    setImmediate(resolve); // where Node tells of what nobody has heard
  });
  process.off('unhandledRejection', listen);
  expect([unawaited.length, unheard]).toEqual([1, []]);
});

it('what is under way leaves in the next turn', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('sent'));
  await yieldToEventLoop();
  expect(order).toEqual(['sent']);
});
