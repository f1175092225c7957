import { describe, expect, it } from 'vitest';
import { DeadlineError, startBudget, startDeadline, untilDeadline } from '../../../src/cluster/wire/deadline.ts';
import { pause } from '../../../src/system/pause.ts';

const never = new Promise<never>(() => undefined);

describe('a deadline', () => {
  it('rejects a wait that takes longer', async () => {
    await expect(untilDeadline(never, startDeadline(10))).rejects.toThrow(
      new DeadlineError('the time set for it, 10 ms, was used up'),
    );
  });
  it('does not change a wait that is shorter', async () =>
    expect(await untilDeadline(Promise.resolve(5), startDeadline(1000))).toBe(5));
  it('that has passed rejects a wait that takes longer at once', async () => {
    const deadline = startDeadline(0);
    await pause(20, deadline.signal).catch(() => undefined);
    await expect(untilDeadline(never, deadline)).rejects.toThrow(DeadlineError);
    expect(deadline.remainingMs()).toBe(0);
  });
  it('ends with its parent', async () => {
    const parent = new AbortController();
    const deadline = startDeadline(60_000, parent.signal);
    expect(deadline.remainingMs()).toBeGreaterThan(50_000);
    parent.abort();
    await expect(untilDeadline(never, deadline)).rejects.toThrow('told to stop');
  });
  it('of a parent that has ended has ended', () =>
    expect(startDeadline(60_000, AbortSignal.abort()).signal.aborted).toBe(true));
  it('does not count the time in which the thread stood still', async () => {
    const deadline = startDeadline(20);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    expect(await untilDeadline(new Promise((resolve) => void setImmediate(() => resolve('an answer'))), deadline)).toBe(
      'an answer',
    );
    await expect(untilDeadline(never, deadline)).rejects.toThrow(DeadlineError);
  });
  it('ends a pause', async () => await expect(pause(60_000, startDeadline(10).signal)).rejects.toThrow(DeadlineError));
});

describe('a budget', () => {
  it('ends after its time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const beganAt = performance.now();
    startBudget(20, resolve);
    await promise;
    expect(performance.now() - beganAt).toBeGreaterThanOrEqual(19);
  });
  it('that is disposed does not end', async () => {
    let hasEnded = false;
    startBudget(1, () => (hasEnded = true))[Symbol.dispose]();
    await pause(30);
    expect(hasEnded).toBe(false);
  });
  it('does not count the time in which the thread stood still', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const beganAt = performance.now();
    startBudget(20, resolve);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    await promise;
    expect(performance.now() - beganAt).toBeGreaterThan(165);
  });
  it('ends also on a machine on which every thread is always blocked', async () => {
    const ended = new AbortController();
    startBudget(20, () => ended.abort());
    for (let turn = 0; turn < 100 && !ended.signal.aborted; turn++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      await new Promise(setImmediate);
    }
    expect(ended.signal.aborted).toBe(true);
  });
});
