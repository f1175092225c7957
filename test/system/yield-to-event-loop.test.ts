import { expect, it } from 'vitest';
import { yieldToEventLoop } from '../../src/system/yield-to-event-loop.ts';

it('yieldToEventLoop lets what is in progress run first', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('sent'));
  await yieldToEventLoop();
  expect(order).toEqual(['sent']);
});
