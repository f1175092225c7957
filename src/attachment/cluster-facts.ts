import type { Agent } from '../agent/agent.ts';
import type { ApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { endpointPod, type AttachedPod, type Attachment } from '../plan/attachment.ts';
import { needsPodCidr, type PodCidrSource } from '../plan/delegation.ts';
import { isSamePod, isUidOfApi } from '../plan/pod-identity.ts';

/** What the API says about an attachment, as far as it must be known before the lease. */
export interface ClusterFacts {
  /** `undefined` for an attachment without a pod, and for one whose Pod is returned when its endpoint is written: see {@link mustReadPod}. */
  readonly pod: Pod | undefined;
  readonly node: PodCidrSource | undefined;
}

/**
 * Reads the Node if the configuration asks for podCIDRs, and the pod if it must be read, at the same time on one connection.
 *
 * @throws {CniError} apiRefused (100) if one of them does not exist, or if the pod was replaced; and what the API client throws
 */
export async function readClusterFacts(
  attachment: Attachment,
  config: NetworkConfig,
  api: ApiBudget,
  agent: Agent,
): Promise<ClusterFacts> {
  const { pod } = attachment;
  // Also if nothing is read: the endpoint is written soon.
  if (pod !== undefined) api.connect();
  const [found, node] = await Promise.all([
    pod !== undefined && mustReadPod(attachment) ? readOwnPod(pod, api) : undefined,
    needsPodCidr(config) ? readPodCidrs(config, api, agent) : undefined,
  ]);
  return { pod: found, node };
}

/**
 * Writing the endpoint returns the Pod, and fails on a Pod with another uid. So the Pod is only read if no endpoint is written, or if the
 * uid of the pod is not that of the API server.
 */
function mustReadPod(attachment: Attachment): boolean {
  return endpointPod(attachment) === undefined || !isUidOfApi(attachment.pod?.uid);
}

/**
 * Reads the pod of an attachment.
 *
 * @throws {CniError} apiRefused (100) if it does not exist, or was replaced; and what the API client throws
 */
export async function readOwnPod(reference: AttachedPod, api: ApiBudget): Promise<Pod> {
  const pod = await api.readPod(reference);
  const name = `${reference.namespace}/${reference.name}`;
  if (pod === 'absent') {
    throw new CniError(
      ERROR_CODE.apiRefused,
      `the API server has no pod ${name}; it was deleted while its sandbox was created`,
    );
  }
  if (isSamePod(pod, reference.uid)) return pod;
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the API server has another pod ${name}; the one of this sandbox was replaced`,
    { details: `uid of the sandbox's pod ${reference.uid}, of the API's ${pod.uid}` },
  );
}

/**
 * The podCIDRs of this node.
 *
 * @throws {CniError} apiRefused (100) if the Node does not exist; and what the API client and {@link Agent.nodeName} throw
 */
export async function readPodCidrs(
  { podCidrNodeName }: Pick<NetworkConfig, 'podCidrNodeName'>,
  api: ApiBudget,
  agent: Agent,
): Promise<PodCidrSource> {
  const nodeName = podCidrNodeName ?? agent.nodeName();
  const node = await api.readNode(nodeName);
  if (node !== 'absent') return { nodeName, podCidrs: node.podCidrs };
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the API server has no node ${nodeName}; set nodename in the network configuration to the name that "kubectl get nodes" shows for this machine`,
    { finding: 'PW302' },
  );
}
