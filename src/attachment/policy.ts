import { waitForEndpointStatus } from '../agent/endpoint-status.ts';
import type { PodReference } from '../cni/cni-args.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { Effects } from './effects.ts';

/** Holds the pod back until the agent has its policy in force, for the time that the netconf allows; then the pod starts all the same. */
export async function waitForPolicy(
  { policySetupTimeoutSeconds, endpointStatusDirectory }: NetworkConfig,
  pod: PodReference,
  { log, signal }: Pick<Effects, 'log' | 'signal'>,
): Promise<void> {
  if (policySetupTimeoutSeconds === 0) return;
  const timeoutMs = policySetupTimeoutSeconds * 1000;
  if (await waitForEndpointStatus(endpointStatusDirectory, pod, { timeoutMs, signal })) return;
  log.warning(
    `the agent has not said within ${policySetupTimeoutSeconds} s that the policy of ${pod.namespace}/${pod.name} is in force ` +
      `(${endpointStatusDirectory}); the pod starts without waiting longer`,
  );
}
