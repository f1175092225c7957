import { expect, it } from 'vitest';
import { bothSettled } from '../../src/attachment/both-settled.ts';

/** A promise that the test settles, and whether it has. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { promise, resolve, reject };
}

it('bothSettled returns both results', async () =>
  expect(await bothSettled(Promise.resolve(1), Promise.resolve('two'))).toEqual([1, 'two']));

it('bothSettled waits for the other one before it throws', async () => {
  const slow = work();
  const order: string[] = [];
  const both = bothSettled(Promise.reject(new Error('failed')), slow.promise).catch((error: unknown) => {
    order.push(String(error));
  });
  await new Promise(setImmediate);
  order.push('slow one ends');
  slow.resolve('done');
  await both;
  expect(order).toEqual(['slow one ends', 'Error: failed']);
});

it('bothSettled throws the error that comes first in time', async () => {
  const one = work();
  const other = work();
  const both = bothSettled(one.promise, other.promise);
  other.reject(new Error('first'));
  await new Promise(setImmediate);
  one.reject(new Error('second'));
  await expect(both).rejects.toThrow('first');
});
