import { formatCidr, hostCidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { isSamePod, type PodIdentity } from './pod-identity.ts';

const PREFIX = 'cni.projectcalico.org/';

/** The annotations of a Pod that describe its workload endpoint, with their values. */
export type EndpointAnnotations = Readonly<Record<string, string>>;

const CLEARED: EndpointAnnotations = { [`${PREFIX}podIP`]: '', [`${PREFIX}podIPs`]: '' };
const UNDONE = { [`${PREFIX}containerID`]: null, [`${PREFIX}podIP`]: null, [`${PREFIX}podIPs`]: null };

/**
 * Plans the annotations from which the agent, Typha and calicoctl derive the workload endpoint of a Pod.
 *
 * @param addresses IPv4 first: the first one is `podIP`
 */
export function planWorkloadEndpoint(containerId: string, addresses: readonly IpAddress[]): EndpointAnnotations {
  const podIps = addresses.map((address) => formatCidr(hostCidr(address)));
  return {
    [`${PREFIX}containerID`]: containerId,
    [`${PREFIX}podIP`]: podIps[0] ?? '',
    [`${PREFIX}podIPs`]: podIps.join(','),
  };
}

/** The annotation that says whose endpoint it is, and those that clear it. */
export interface EndpointClearing {
  readonly owner: EndpointAnnotations;
  readonly cleared: EndpointAnnotations;
}

/** Plans how to clear the endpoint of a container on whatever Pod has it. */
export function planContainerClearing(containerId: string): EndpointClearing {
  return { owner: { [`${PREFIX}containerID`]: containerId }, cleared: CLEARED };
}

/** The parts of a Pod that decide whether its endpoint can be cleared. */
export interface EndpointOwnerFacts extends PodIdentity {
  readonly hostNetwork: boolean;
}

/**
 * Plans the annotations that clear the endpoint of a Pod.
 *
 * `containerID` is kept next to the empty addresses, so that the agent can distinguish a detached pod from one that is
 * not attached yet.
 *
 * @param ours `isUndone`: the container never had a network, so that no annotation remains
 * @returns `null` for each annotation to remove; undefined if there is nothing to clear: the name of the Pod now belongs to another pod or
 *   container, or the endpoint is cleared already
 */
export function planEndpointClearing(
  pod: EndpointOwnerFacts,
  ours: { readonly containerId: string; readonly podUid: string | undefined; readonly isUndone?: boolean },
): Readonly<Record<string, string | null>> | undefined {
  const { annotations } = pod;
  const isOurs =
    annotations[`${PREFIX}containerID`] === ours.containerId && !pod.hostNetwork && isSamePod(pod, ours.podUid);
  if (!isOurs) return undefined;
  if (ours.isUndone === true) return UNDONE;
  const isCleared = Object.keys(CLEARED).every((key) => (annotations[key] ?? '') === '');
  return isCleared ? undefined : CLEARED;
}
