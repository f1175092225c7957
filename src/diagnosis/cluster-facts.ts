import type { Cidr } from '../address/cidr.ts';

/** Everything that the checks of a cluster are based on, as the API has it. */
export interface ClusterState {
  /** `v1.36.3`. */
  readonly version: string;
  readonly nodes: readonly ClusterNode[];
  /** What the ClusterRole of the plugin grants: `patch pods/status`. `undefined` if the role does not exist. */
  readonly granted: readonly string[] | undefined;
  readonly isBound: boolean;
  readonly hasAdmissionPolicy: boolean;
  /** DaemonSets of other pod networks: `kube-system/calico-node`. */
  readonly otherNetworks: readonly string[];
  /** Objects by which Calico is recognized: `ClusterRole calico-node`. */
  readonly conflicts: readonly string[];
}

/** A Node, and the pod of podwire's DaemonSet on it. */
export interface ClusterNode {
  readonly name: string;
  readonly isReady: boolean;
  readonly podCidrs: readonly Cidr[];
  readonly podwire: PodwirePod | undefined;
}

/** The pod that installs podwire on a node and renews its token. */
export interface PodwirePod {
  readonly name: string;
  /** The tag of its image. */
  readonly version: string;
  readonly isReady: boolean;
  /** Why it is not ready: `install: CrashLoopBackOff`. */
  readonly problem: string | undefined;
}
