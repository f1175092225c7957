import type { NetworkConfig } from '../netconf/network-config.ts';
import { endpointPod, type Attachment } from '../plan/attachment.ts';
import type { Effects } from './effects.ts';

/** Delays the pod until the agent enforces its policy, for as long as the network configuration allows; then the pod starts anyway. */
export async function waitForPolicy(
  attachment: Attachment,
  { policySetupTimeoutSeconds, endpointStatusDirectory }: NetworkConfig,
  { agent, log, signal }: Pick<Effects, 'agent' | 'log' | 'signal'>,
): Promise<void> {
  const pod = endpointPod(attachment);
  if (pod === undefined || policySetupTimeoutSeconds === 0) return;
  if (await agent.waitForPolicy(pod, policySetupTimeoutSeconds * 1000, signal)) return;
  log.warning(
    `the agent has not reported within ${policySetupTimeoutSeconds} s that the policy of ${pod.namespace}/${pod.name} is in force ` +
      `(${endpointStatusDirectory}); the pod starts without waiting longer`,
  );
}
