import { describe, expect, it } from 'vitest';
import { until } from './until.ts';

const never = () => false;

describe('until', () => {
  it('resolves once the condition holds, and does not check again', async () => {
    let checks = 0;
    await until('the third check', async () => ++checks === 3);
    expect(checks).toBe(3);
  });

  it('rejects after the deadline, with what it waited for and what is known', async () => {
    const waiting = until('the moon is full', never, { deadlineMs: 10, explain: async () => 'it is half' });
    await expect(waiting).rejects.toThrow('waited 10 ms in vain: the moon is full\nit is half');
  });

  it('rejects as soon as it is known that the condition will never hold', async () => {
    const failure = Promise.reject(new Error('the server ended'));
    await expect(until('the server answers', never, { failure })).rejects.toThrow('the server ended');
  });

  it('rejects with the error of the condition', async () => {
    const waiting = until('nothing', () => Promise.reject(new Error('no such file')));
    await expect(waiting).rejects.toThrow('no such file');
  });
});
