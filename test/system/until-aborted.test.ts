import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/system/until-aborted.ts';

const never = new Promise<string>(() => undefined);

describe('a promise that a signal ends', () => {
  it('settles as the promise does', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve('done'), signal)).toBe('done');
    await expect(untilAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
  });
  it('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(never, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
  it('rejects if the signal is aborted already', async () => {
    await expect(untilAborted(never, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
