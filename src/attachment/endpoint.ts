import type { IpAddress } from '../address/ip-address.ts';
import { openApiBudget, type ApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { endpointPod, type AttachedPod, type Attachment } from '../plan/attachment.ts';
import { planEndpointClearing, planWorkloadEndpoint } from '../plan/workload-endpoint.ts';
import type { Effects } from './effects.ts';

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
  { nodeName, budgets }: Pick<NetworkConfig, 'nodeName' | 'budgets'>,
  { cluster }: Pick<Effects, 'cluster'>,
): Promise<void> {
  await clearEndpoint(attachment, nodeName, openApiBudget(cluster, budgets.delApiMs));
}

/**
 * Clears the endpoint on the Pod, if it is this container's. Does nothing for an attachment that has no endpoint.
 *
 * @param nodeName the name of this node, `undefined` if it is not configured
 * @param removed ends when no link has the address any more: the endpoint is not cleared before
 * @throws {CniError} tryAgainLater (11) if the Pod changes faster than it can be read; and what the API client throws
 */
export async function clearEndpoint(
  attachment: Attachment,
  nodeName: string | undefined,
  api: ApiBudget,
  removed: Promise<void> = Promise.resolve(),
): Promise<void> {
  const owner = endpointPod(attachment);
  if (owner === undefined) return;
  const [found] = await Promise.all([api.readPod(owner), removed]);
  await clearReadEndpoint(found, owner, { containerId: attachment.id.containerId, podUid: owner.uid, nodeName }, api);
}

/** What became of an endpoint. `none`: the attachment has none. `pending`: a later command must clear it, because of `why`. */
export type ClearingOutcome =
  | { readonly kind: 'none' | 'cleared' }
  | { readonly kind: 'pending'; readonly why: string };

/** As {@link clearEndpoint}, for a command that succeeds without it. Never rejects. */
export async function attemptToClearEndpoint(
  attachment: Attachment,
  { nodeName }: Pick<NetworkConfig, 'nodeName'>,
  api: ApiBudget,
  removed: Promise<void>,
): Promise<ClearingOutcome> {
  if (endpointPod(attachment) === undefined) return { kind: 'none' };
  try {
    await clearEndpoint(attachment, nodeName, api, removed);
    return { kind: 'cleared' };
  } catch (error) {
    return { kind: 'pending', why: error instanceof Error ? error.message : String(error) };
  }
}

const MAX_CONFLICTS = 5;

async function clearReadEndpoint(
  found: Pod | 'absent',
  owner: AttachedPod,
  ours: Parameters<typeof planEndpointClearing>[1],
  api: ApiBudget,
): Promise<void> {
  let pod = found;
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    const annotations = pod === 'absent' ? undefined : planEndpointClearing(pod, ours);
    if (pod === 'absent' || annotations === undefined) return;
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
