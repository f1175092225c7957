import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { remainingMs, untilDeadline } from '../../src/cluster/wire/deadline.ts';
import { openApiBudget } from '../../src/cluster/api-budget.ts';

describe('the time for the API', () => {
  it('is all there for the first request', async () => {
    expect(await openApiBudget(4000).spend(async (deadline) => remainingMs(deadline))).toBeGreaterThan(3500);
  });

  it('is shared by all requests, and not spent between them', async () => {
    const share = openApiBudget(4000);
    await share.spend(() => pause(30));
    await pause(30);
    const leftMs = await share.spend(async (deadline) => remainingMs(deadline));
    expect(leftMs).toBeLessThanOrEqual(3971);
  });

  it('that is spent is none, not less than none: Node warns of such a timer', async () => {
    const share = openApiBudget(5);
    const tooLate = () => share.spend(async (deadline) => untilDeadline(pause(30), deadline));
    await expect(tooLate()).rejects.toThrow('5 ms');
    await expect(tooLate()).rejects.toThrow(/ 0 ms/);
  });

  it('ends with the command', async () => {
    const ended = new AbortController();
    const share = openApiBudget(4000, ended.signal);
    const asked = share.spend(async ({ signal }) => {
      ended.abort();
      return signal.aborted;
    });
    expect(await asked).toBe(true);
    expect(await share.spend(async (deadline) => remainingMs(deadline))).toBe(0);
  });
});
