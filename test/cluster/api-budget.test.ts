import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openApiBudget } from '../../src/cluster/api-budget.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { untilDeadline, type Deadline } from '../../src/cluster/wire/deadline.ts';

const WEB = { namespace: 'default', name: 'web' };

/** A cluster in which `request` answers each request. */
function clusterOf(request: (deadline: Deadline) => Promise<unknown>): Cluster {
  const answer = async (deadline: Deadline): Promise<'absent'> => {
    await request(deadline);
    return 'absent';
  };
  return {
    checkServer: async () => ({ isReachable: true, connectionId: 'id' }),
    readPod: (_pod, deadline) => answer(deadline),
    readNode: (_name, deadline) => answer(deadline),
    patchPodAnnotations: (_pod, _patch, deadline) => answer(deadline),
    patchPodIf: (_pod, _patch, deadline) => answer(deadline),
    createEvent: async () => 201,
    connect: () => undefined,
    probe: answer,
    [Symbol.dispose]: () => undefined,
  };
}

describe('openApiBudget', () => {
  it('gives the whole time to the first request', async () => {
    const leftMs: number[] = [];
    const cluster = clusterOf(async (deadline) => void leftMs.push(deadline.remainingMs()));
    await openApiBudget(cluster, 4000).readPod(WEB);
    expect(leftMs[0]).toBeGreaterThan(3500);
  });

  it('counts the time of requests, and not the time between them', async () => {
    const leftMs: { readonly begin: number; readonly end: number }[] = [];
    const cluster = clusterOf(async (deadline) => {
      const begin = deadline.remainingMs();
      // A fixed pause would not do: the deadline counts less time on a machine that is busy.
      while (deadline.remainingMs() > begin - 60) await pause(5);
      leftMs.push({ begin, end: deadline.remainingMs() });
    });
    const api = openApiBudget(cluster, 20_000);
    await api.readPod(WEB);
    await pause(1000);
    await api.probe();
    const [first, second] = leftMs;
    expect(second?.begin).toBeLessThanOrEqual(first?.end ?? 0);
    expect(second?.begin).toBeGreaterThan((first?.end ?? Infinity) - 900);
  });

  it('lets requests at the same time share one deadline', async () => {
    const deadlines: Deadline[] = [];
    const api = openApiBudget(
      clusterOf(async (deadline) => void deadlines.push(deadline)),
      4000,
    );
    await Promise.all([api.readPod(WEB), api.readNode('n1')]);
    expect(deadlines[0]).toBe(deadlines[1]);
  });

  it('ends a request when the time is used up, and the next one at once', async () => {
    const api = openApiBudget(
      clusterOf((deadline) => untilDeadline(pause(5000), deadline)),
      5,
    );
    await expect(api.readPod(WEB)).rejects.toThrow('5 ms');
    await expect(api.readPod(WEB)).rejects.toThrow(/ 0 ms/);
  });

  it('ends requests with the signal of the command', async () => {
    const ended = new AbortController();
    const api = openApiBudget(
      clusterOf((deadline) => untilDeadline(new Promise(() => undefined), deadline)),
      4000,
      ended.signal,
    );
    const reading = api.readPod(WEB);
    ended.abort();
    await expect(reading).rejects.toThrow('told to stop');
    await expect(api.probe()).rejects.toThrow('told to stop');
  });
});
