import type { Cluster } from './cluster.ts';
import { startDeadline, type Deadline } from './wire/deadline.ts';

/** The requests that one command may make, within one time limit for all of them. What it does between them does not count. */
export type ApiBudget = { readonly [Request in RequestName]: WithoutDeadline<Cluster[Request]> } & Pick<
  Cluster,
  'connect'
>;

type RequestName = 'readPod' | 'readNode' | 'patchPodAnnotations' | 'patchPodIf' | 'probe';
type WithoutDeadline<Request> = Request extends (...parameters: [...infer Given, Deadline]) => infer Answer
  ? (...parameters: Given) => Answer
  : never;

/**
 * Opens a budget. Time counts only while at least one request is in progress; requests at the same time share it.
 *
 * @param totalMs the time for all requests together
 * @param signal ends requests early; absent for requests that undo something
 */
export function openApiBudget(cluster: Cluster, totalMs: number, signal?: AbortSignal): ApiBudget {
  let leftMs = totalMs;
  let requestCount = 0;
  let deadline: Deadline | undefined;
  const spend = async <Answer>(request: (deadline: Deadline) => Promise<Answer>): Promise<Answer> => {
    requestCount++;
    deadline ??= startDeadline(leftMs, signal);
    const shared = deadline;
    try {
      return await request(shared);
    } finally {
      requestCount--;
      if (requestCount === 0) {
        // The deadline's own clock does not count the time for which this thread was blocked.
        leftMs = shared.remainingMs();
        shared[Symbol.dispose]();
        deadline = undefined;
      }
    }
  };
  return {
    readPod: (pod) => spend((end) => cluster.readPod(pod, end)),
    readNode: (name) => spend((end) => cluster.readNode(name, end)),
    patchPodAnnotations: (pod, patch) => spend((end) => cluster.patchPodAnnotations(pod, patch, end)),
    patchPodIf: (pod, patch) => spend((end) => cluster.patchPodIf(pod, patch, end)),
    connect: () => cluster.connect(),
    probe: () => spend((end) => cluster.probe(end)),
  };
}
