import { existsSync, watch } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { PodReference } from '../cni/cni-args.ts';

/**
 * The name of the file by which the agent reports that a pod's policy is in force: orchestrator, workload and endpoint,
 * each percent-encoded, joined by blanks.
 */
export function endpointStatusFileName({ namespace, name }: PodReference): string {
  return `k8s ${encodeURIComponent(`${namespace}/${name}`)} eth0`;
}

/**
 * Waits until the agent has written the pod's status file.
 *
 * @returns false if it has not written the file within the timeout, or its folder cannot be watched
 * @throws the reason of the signal
 */
export async function waitForEndpointStatus(
  directory: string,
  pod: PodReference,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const path = join(directory, endpointStatusFileName(pod));
  const limits = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]);
  try {
    // Watch before checking: otherwise a file that is created in between would never be noticed.
    const watcher = watch(directory, { signal: limits });
    const closed = once(watcher, 'close');
    watcher.on('change', () => {
      if (existsSync(path)) watcher.close();
    });
    if (existsSync(path)) watcher.close();
    await closed;
  } catch {
    // The folder is missing or was removed, so no agent will write there.
  }
  signal.throwIfAborted();
  return existsSync(path);
}
