import { readNodeName } from '../agent/node-name.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Deadline } from '../cluster/wire/deadline.ts';
import type { Pod } from '../cluster/pod.ts';
import type { CniArgs } from '../cni/cni-args.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { needsPodCidr, type PodCidrSource } from '../plan/delegation.ts';
import { isSamePod } from '../plan/pod-identity.ts';

/** What the API knows of an attachment. A network without pods or without podCIDRs does not ask for it. */
export interface ClusterFacts {
  readonly pod: Pod | undefined;
  readonly node: PodCidrSource | undefined;
}

/**
 * Reads the pod and, if the configuration asks for podCIDRs, the node: at once, on one connection.
 *
 * @throws {CniError} 100 if the API does not have one of them or has another pod of that name; and what the API's client throws
 */
export async function readPodAndNode(
  { config, args }: { readonly config: NetworkConfig; readonly args: CniArgs },
  cluster: Cluster,
  deadline: Deadline,
): Promise<ClusterFacts> {
  const [pod, node] = await Promise.all([
    args.pod === undefined ? undefined : readPod(args.pod, args.podUid, cluster, deadline),
    needsPodCidr(config) ? readPodCidrs(config.podCidrNodeName ?? readNodeName(config), cluster, deadline) : undefined,
  ]);
  return { pod, node };
}

async function readPod(
  reference: NonNullable<CniArgs['pod']>,
  podUid: string | undefined,
  cluster: Cluster,
  deadline: Deadline,
): Promise<Pod> {
  const pod = await cluster.readPod(reference, deadline);
  const name = `${reference.namespace}/${reference.name}`;
  if (pod === 'absent') {
    throw new CniError(
      ERROR_CODE.apiRefused,
      `the API server has no pod ${name}; it was deleted while its sandbox was made`,
    );
  }
  if (isSamePod(pod, podUid)) return pod;
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the API server has another pod ${name}; the one of this sandbox was replaced`,
    {
      details: `uid of the sandbox's pod ${podUid}, of the API's ${pod.uid}`,
    },
  );
}

/**
 * The podCIDRs of a node.
 *
 * @throws {CniError} 100 if the API does not have the node; and what the API's client throws
 */
export async function readPodCidrs(nodeName: string, cluster: Cluster, deadline: Deadline): Promise<PodCidrSource> {
  const node = await cluster.readNode(nodeName, deadline);
  if (node !== 'absent') return { nodeName, podCidrs: node.podCidrs };
  throw new CniError(
    ERROR_CODE.apiRefused,
    `the API server has no node ${nodeName}; nodename in the netconf must be the name that "kubectl get nodes" shows for this machine`,
  );
}
