import { formatCidr, hostCidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { isSamePod, type PodIdentity } from './pod-identity.ts';

const PREFIX = 'cni.projectcalico.org/';

/** The annotations of a Pod that hold its workload endpoint, with their values. */
export type EndpointAnnotations = Readonly<Record<string, string>>;

/**
 * The annotations that make the Pod a workload endpoint for the agent, Typha and calicoctl.
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

/** What is known of a Pod when its endpoint is to be cleared. */
export interface EndpointOwnerFacts extends PodIdentity {
  readonly nodeName: string | undefined;
  readonly hostNetwork: boolean;
}

/**
 * The annotations that take the endpoint off the Pod, or `undefined` if there is nothing of this container's to clear: the name now
 * belongs to another pod, another node or another container, or the endpoint is cleared already.
 *
 * `containerID` stays, empty addresses beside it: so the agent tells "torn down" from "not yet attached".
 */
export function planEndpointClearing(
  pod: EndpointOwnerFacts,
  ours: { readonly containerId: string; readonly podUid: string | undefined; readonly nodeName: string | undefined },
): EndpointAnnotations | undefined {
  const { annotations } = pod;
  const isOurs =
    annotations[`${PREFIX}containerID`] === ours.containerId &&
    !pod.hostNetwork &&
    isSamePod(pod, ours.podUid) &&
    (ours.nodeName === undefined || pod.nodeName === undefined || pod.nodeName === ours.nodeName);
  if (!isOurs) return undefined;
  const cleared = { [`${PREFIX}podIP`]: '', [`${PREFIX}podIPs`]: '' };
  const isCleared = Object.keys(cleared).every((key) => (annotations[key] ?? '') === '');
  return isCleared ? undefined : cleared;
}
