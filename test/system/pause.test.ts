import { describe, expect, it } from 'vitest';
import { pause } from '../../src/system/pause.ts';

describe('a pause', () => {
  it('lasts as long as it should', async () => {
    const begunAtMs = performance.now();
    await pause(20);
    expect(performance.now() - begunAtMs).toBeGreaterThan(18);
  });
  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const pausing = pause(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(pausing).rejects.toThrow('enough');
  });
  it('does not begin if its signal is aborted already', async () => {
    await expect(pause(60_000, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
