import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { PodReference } from '../cni/cni-args.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';

/**
 * The name of the file by which the agent reports that a pod's policy is in force: orchestrator, workload and endpoint,
 * each percent-encoded, joined by blanks.
 */
export function endpointStatusFileName({ namespace, name }: PodReference): string {
  return `k8s ${encodeURIComponent(`${namespace}/${name}`)} eth0`;
}

/**
 * Waits until the agent has written the pod's status file. The agent may create its folder later than that: after a boot
 * it starts together with the pods.
 *
 * @returns false if the agent has not written the file within the whole of the timeout
 * @throws the reason of the signal
 */
export async function waitForEndpointStatus(
  directory: string,
  pod: PodReference,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const path = join(directory, endpointStatusFileName(pod));
  const endsAtMs = monotonicMs() + timeoutMs;
  using folder = watchFolder(directory);
  for (;;) {
    signal.throwIfAborted();
    if (existsSync(path)) return true;
    const leftMs = endsAtMs - monotonicMs();
    if (leftMs <= 0) return false;
    await folder.changed(Math.min(POLL_MS, Math.ceil(leftMs)), signal);
  }
}

// Polling alone is correct. The watch only shortens the wait: it is not possible if the folder is missing, or if the
// processes of root, those in pods included, have used up the inotify instances, and it ends if the folder is replaced.
const POLL_MS = 200;

interface FolderWatch extends Disposable {
  /** Resolves at the next change that is noticed, after `maxMs`, or with the signal. */
  changed(maxMs: number, signal: AbortSignal): Promise<void>;
}

function watchFolder(directory: string): FolderWatch {
  let wake: () => void = () => undefined;
  const watcher = tryWatch(directory);
  watcher?.on('change', () => wake()).on('error', () => watcher.close());
  return {
    changed: async (maxMs, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, maxMs);
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      signal.removeEventListener('abort', wake);
      clearTimeout(timer);
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}

function tryWatch(directory: string): ReturnType<typeof watch> | undefined {
  try {
    return watch(directory);
  } catch {
    return undefined;
  }
}
