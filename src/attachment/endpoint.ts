import type { IpAddress } from '../address/ip-address.ts';
import { openApiBudget, type ApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { endpointPod, type AttachedPod, type Attachment } from '../plan/attachment.ts';
import { isUidOfApi } from '../plan/pod-identity.ts';
import {
  planContainerClearing,
  planEndpointClearing,
  planWorkloadEndpoint,
  type EndpointClearing,
} from '../plan/workload-endpoint.ts';
import { readOwnPod } from './cluster-facts.ts';
import type { Effects } from './effects.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * Writes the endpoint on the pod of an attachment, and on no other Pod of its name. Does nothing for an attachment that has no endpoint.
 *
 * @param read the Pod, if it has been read; otherwise the pod's uid is the condition of the write
 * @returns the Pod as it is now
 * @throws {CniError} apiRefused (100) if the pod has been deleted or replaced; and what the API client throws
 */
export async function publishEndpoint(
  attachment: Attachment,
  read: Pod | undefined,
  addresses: readonly IpAddress[],
  api: ApiBudget,
): Promise<Pod | undefined> {
  const owner = endpointPod(attachment);
  if (owner === undefined) return read;
  const annotations = planWorkloadEndpoint(attachment.id.containerId, addresses);
  const answer = await api.patchPodAnnotations(owner, { uid: read?.uid ?? owner.uid, annotations });
  if (answer !== 'absent' && answer !== 'conflict') return answer;
  if (read === undefined) return publishEndpoint(attachment, await readOwnPod(owner, api), addresses, api);
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the pod ${owner.namespace}/${owner.name} was deleted or replaced during its ADD; its successor gets another sandbox`,
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
  const owner = endpointPod(attachment);
  if (owner === undefined) return;
  const ours = { containerId: attachment.id.containerId, podUid: owner.uid, isUndone: true };
  // Read first: if the write has failed, there is mostly nothing to undo, and a second write would fail, too.
  await clearReadEndpoint(ours, owner, 'any node', openApiBudget(cluster, budgets.delApiMs));
}

/**
 * Clears the endpoint on the Pod, if it is this container's. Does nothing for an attachment that has no endpoint.
 *
 * @param node where the Pod must be
 * @throws {CniError} tryAgainLater (11) if the Pod changes faster than it can be read; and what the API client throws
 */
export async function clearEndpoint(attachment: Attachment, node: NamedNode, api: ApiBudget): Promise<void> {
  const owner = endpointPod(attachment);
  if (owner === undefined) return;
  const { containerId } = attachment.id;
  const outcome = await clearAtOnce(planContainerClearing(containerId), owner, node, api);
  // The API server does not say why. The Pod does: mostly, the endpoint is another container's.
  if (outcome === 'unmatched') await clearReadEndpoint({ containerId, podUid: owner.uid }, owner, node, api);
}

/** The name of a node. Asking for it throws an error if it is unknown. */
type NamedNode = Pick<Effects['agent'], 'nodeName'>;

async function clearAtOnce(
  { owner, cleared }: EndpointClearing,
  pod: AttachedPod,
  node: NamedNode,
  api: ApiBudget,
): Promise<'patched' | 'absent' | 'unmatched'> {
  const nodeName = nameIfKnown(node);
  if (nodeName === undefined) return 'unmatched';
  const uid = isUidOfApi(pod.uid) ? pod.uid : undefined;
  return api.patchPodIf(pod, { conditions: { uid, nodeName, annotations: owner }, annotations: cleared });
}

function nameIfKnown(node: NamedNode): string | undefined {
  try {
    return node.nodeName();
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

/** What became of an endpoint. `none`: the attachment has none. `pending`: a later command must clear it, because of `why`. */
export type ClearingOutcome =
  | { readonly kind: 'none' | 'cleared' }
  | { readonly kind: 'pending'; readonly why: string };

/**
 * As {@link clearEndpoint}, for a command that succeeds without it. It only clears the endpoint of a Pod of this node, by the name that ADD
 * would use: on a copy of a node's disk, a record can name a pod of the original node. Never rejects.
 *
 * @param removed ends when no link has the address any more: the endpoint is not cleared before
 */
export async function attemptToClearEndpoint(
  attachment: Attachment,
  api: ApiBudget,
  removed: Promise<void>,
  { agent }: Pick<Effects, 'agent'>,
): Promise<ClearingOutcome> {
  if (endpointPod(attachment) === undefined) return { kind: 'none' };
  try {
    api.connect();
    await removed;
    await clearEndpoint(attachment, agent, api);
    return { kind: 'cleared' };
  } catch (error) {
    return { kind: 'pending', why: messageOf(error) };
  }
}

/** @throws {CniError} invalidConfig (7) if the name of the node is unknown; then the endpoint is not cleared */
function isOnNode({ nodeName }: Pod, where: NamedNode | 'any node'): boolean {
  return where === 'any node' || nodeName === undefined || nodeName === where.nodeName();
}

const MAX_CONFLICTS = 5;

async function clearReadEndpoint(
  ours: { readonly containerId: string; readonly podUid: string | undefined; readonly isUndone?: boolean },
  owner: AttachedPod,
  where: NamedNode | 'any node',
  api: ApiBudget,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    const pod = await api.readPod(owner);
    if (pod === 'absent') return;
    const annotations = planEndpointClearing(pod, ours);
    if (annotations === undefined || !isOnNode(pod, where)) return;
    const { uid, resourceVersion } = pod;
    const answer = await api.patchPodAnnotations(pod, { uid, resourceVersion, annotations });
    if (answer !== 'conflict') return;
  }
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `cannot clear the endpoint of pod ${owner.namespace}/${owner.name}: the Pod changed ${MAX_CONFLICTS} times between reading and writing it`,
  );
}
