import { describe, expect, it } from 'vitest';
import { openClock } from '../../src/system/clock.ts';

const forever = new AbortController().signal;

describe('sleep', () => {
  it('waits for the duration', async () => {
    const startedMs = performance.now();
    await openClock().sleep(30, forever);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(29);
  });

  it('rejects with the reason of the signal when that is aborted', async () => {
    const ended = new AbortController();
    const sleeping = openClock().sleep(60_000, ended.signal);
    ended.abort(new Error('the runtime ended the command'));
    await expect(sleeping).rejects.toThrow('the runtime ended the command');
  });

  it('rejects at once if the signal is already aborted', () =>
    expect(openClock().sleep(60_000, AbortSignal.abort())).rejects.toThrow(/abort/i));
});
