import type { IpAddress } from '../address/ip-address.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Deadline } from '../cluster/wire/deadline.ts';
import type { Pod } from '../cluster/pod.ts';
import type { CniArgs, PodReference } from '../cni/cni-args.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planEndpointClearing, planWorkloadEndpoint } from '../plan/workload-endpoint.ts';

/** What of a request says whose endpoint it is. */
export interface EndpointRequest {
  readonly attachment: AttachmentId;
  readonly args: CniArgs;
  readonly config: Pick<NetworkConfig, 'nodeName'>;
}

/** The pod whose endpoint this attachment is: a pod has one, on its first network. */
export function endpointPod({ attachment, args }: EndpointRequest): PodReference | undefined {
  return attachment.interfaceName === 'eth0' ? args.pod : undefined;
}

/**
 * Writes the endpoint on the Pod that was read, and on no other of its name.
 *
 * @throws {CniError} 100 if the pod is gone or replaced by now
 */
export async function writeEndpoint(
  { attachment }: EndpointRequest,
  pod: Pod,
  addresses: readonly IpAddress[],
  cluster: Cluster,
  deadline: Deadline,
): Promise<void> {
  const annotations = planWorkloadEndpoint(attachment.containerId, addresses);
  const answer = await cluster.patchPodAnnotations(pod, { uid: pod.uid, annotations }, deadline);
  if (answer !== 'absent' && answer !== 'conflict') return;
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the pod ${pod.namespace}/${pod.name} was deleted or replaced while it was attached; its successor gets a sandbox of its own`,
    { details: answer },
  );
}

const MAX_CONFLICTS = 5;

/**
 * Takes the endpoint off the Pod, if what stands there is this container's.
 *
 * @param found the Pod as it was read
 * @throws what the API's client throws; {CniError} 11 if others change the Pod faster than it can be read
 */
export async function clearEndpoint(
  { attachment, args, config }: EndpointRequest,
  found: Pod | 'absent',
  cluster: Cluster,
  deadline: Deadline,
): Promise<void> {
  const ours = { containerId: attachment.containerId, podUid: args.podUid, nodeName: config.nodeName };
  let pod = found;
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    const annotations = pod === 'absent' ? undefined : planEndpointClearing(pod, ours);
    if (pod === 'absent' || annotations === undefined) return;
    const { uid, resourceVersion } = pod;
    const answer = await cluster.patchPodAnnotations(pod, { uid, resourceVersion, annotations }, deadline);
    if (answer !== 'conflict') return;
    pod = await cluster.readPod(pod, deadline);
  }
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `the endpoint of pod ${args.pod?.namespace}/${args.pod?.name} could not be cleared: the Pod changed ${MAX_CONFLICTS} times between read and write`,
  );
}

/** The same for a Pod that has not been read yet. */
export async function readAndClearEndpoint(
  request: EndpointRequest,
  pod: PodReference,
  cluster: Cluster,
  deadline: Deadline,
): Promise<void> {
  await clearEndpoint(request, await cluster.readPod(pod, deadline), cluster, deadline);
}
