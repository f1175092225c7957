import type { IpAddress } from '../address/ip-address.ts';
import { openApiBudget, type ApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { endpointPod, type AttachedPod, type Attachment } from '../plan/attachment.ts';
import { planEndpointClearing, planWorkloadEndpoint } from '../plan/workload-endpoint.ts';
import type { Effects } from './effects.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * Writes the endpoint on the Pod that was read, and on no other Pod of its name. Does nothing for an attachment that has no endpoint.
 *
 * @throws {CniError} apiRefused (100) if the pod has been deleted or replaced; and what the API client throws
 */
export async function publishEndpoint(
  attachment: Attachment,
  pod: Pod | undefined,
  addresses: readonly IpAddress[],
  api: ApiBudget,
): Promise<void> {
  if (endpointPod(attachment) === undefined || pod === undefined) return;
  const annotations = planWorkloadEndpoint(attachment.id.containerId, addresses);
  const answer = await api.patchPodAnnotations(pod, { uid: pod.uid, annotations });
  if (answer !== 'absent' && answer !== 'conflict') return;
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the pod ${pod.namespace}/${pod.name} was deleted or replaced during its ADD; its successor gets another sandbox`,
    { details: answer },
  );
}

/**
 * Undoes {@link publishEndpoint}, in its own budget, which no signal ends.
 *
 * @throws {CniError} what {@link clearEndpoint} throws
 */
export async function withdrawEndpoint(
  attachment: Attachment,
  { budgets }: Pick<NetworkConfig, 'budgets'>,
  { cluster }: Pick<Effects, 'cluster'>,
): Promise<void> {
  // This ADD has written it, so the pod is on this node, whatever the node is called.
  await clearEndpoint(attachment, () => true, openApiBudget(cluster, budgets.delApiMs));
}

/**
 * Clears the endpoint on the Pod, if it is this container's. Does nothing for an attachment that has no endpoint.
 *
 * @param isOnNode whether a Pod is on this node
 * @param removed ends when no link has the address any more: the endpoint is not cleared before
 * @throws {CniError} tryAgainLater (11) if the Pod changes faster than it can be read; and what the API client throws
 */
export async function clearEndpoint(
  attachment: Attachment,
  isOnNode: (pod: Pod) => boolean,
  api: ApiBudget,
  removed: Promise<void> = Promise.resolve(),
): Promise<void> {
  const owner = endpointPod(attachment);
  if (owner === undefined) return;
  const [found] = await Promise.all([api.readPod(owner), removed]);
  await clearReadEndpoint(found, owner, { containerId: attachment.id.containerId, isOnNode }, api);
}

/** What became of an endpoint. `none`: the attachment has none. `pending`: a later command must clear it, because of `why`. */
export type ClearingOutcome =
  | { readonly kind: 'none' | 'cleared' }
  | { readonly kind: 'pending'; readonly why: string };

/** As {@link clearEndpoint}, for a command that succeeds without it. Never rejects. */
export async function attemptToClearEndpoint(
  attachment: Attachment,
  api: ApiBudget,
  removed: Promise<void>,
  { agent }: Pick<Effects, 'agent'>,
): Promise<ClearingOutcome> {
  if (endpointPod(attachment) === undefined) return { kind: 'none' };
  try {
    await clearEndpoint(attachment, (pod) => isOnThisNode(pod, agent), api, removed);
    return { kind: 'cleared' };
  } catch (error) {
    return { kind: 'pending', why: messageOf(error) };
  }
}

/**
 * Whether a Pod is on this node, by the name that ADD would use. On a copy of a node's disk, a record can name a pod of the original node.
 *
 * @throws {CniError} invalidConfig (7) if the name of this node is unknown; then the endpoint is not cleared
 */
export function isOnThisNode({ nodeName }: Pick<Pod, 'nodeName'>, agent: Effects['agent']): boolean {
  return nodeName === undefined || nodeName === agent.nodeName();
}

const MAX_CONFLICTS = 5;

async function clearReadEndpoint(
  found: Pod | 'absent',
  owner: AttachedPod,
  { containerId, isOnNode }: { readonly containerId: string; readonly isOnNode: (pod: Pod) => boolean },
  api: ApiBudget,
): Promise<void> {
  let pod = found;
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    if (pod === 'absent') return;
    const annotations = planEndpointClearing(pod, { containerId, podUid: owner.uid });
    if (annotations === undefined || !isOnNode(pod)) return;
    const { uid, resourceVersion } = pod;
    const answer = await api.patchPodAnnotations(pod, { uid, resourceVersion, annotations });
    if (answer !== 'conflict') return;
    pod = await api.readPod(pod);
  }
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `cannot clear the endpoint of pod ${owner.namespace}/${owner.name}: the Pod changed ${MAX_CONFLICTS} times between reading and writing it`,
  );
}
