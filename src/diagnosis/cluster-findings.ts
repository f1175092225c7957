import type { FindingNumber } from '../cni/error.ts';
import type { FindingDescription } from './finding-description.ts';

/** Findings about the objects of a cluster: PW9xx. */
export const CLUSTER_FINDINGS = {
  PW901: {
    title: 'The permissions of the plugin are incomplete',
    effect: 'pods cannot start',
    cause: 'The ClusterRole or ClusterRoleBinding "podwire" is missing, or grants less than podwire needs.',
    remedy: 'Apply cni-conf/rbac.yaml.',
    causes: [],
  },
  PW902: {
    title: 'podwire is not ready on a node',
    effect: 'pods cannot start',
    cause: 'The pod of the DaemonSet is missing on the node, cannot install podwire, or cannot renew its token.',
    remedy: 'Read the log of its containers "install" and "token".',
    causes: [],
  },
  PW903: {
    title: 'podCIDRs of two nodes overlap',
    effect: 'pods have no traffic',
    cause: 'Two Nodes have the same or overlapping podCIDRs, so that two pods can have the same address.',
    remedy: 'Recreate one of the Nodes, so that it gets another podCIDR.',
    causes: [],
  },
  PW904: {
    title: 'The API server is too old',
    effect: 'pods cannot start',
    cause: 'API servers before Kubernetes 1.31 cannot bind a token to a Node.',
    remedy: 'Upgrade the cluster.',
    causes: [],
  },
  PW905: {
    title: 'Another pod network is installed',
    effect: 'pods cannot start',
    cause: 'A DaemonSet of another pod network writes its own network configuration on every node.',
    remedy: 'Follow the section about changing from another plugin in docs/install.md.',
    causes: [],
  },
  PW906: {
    title: 'Calico is in the cluster',
    effect: 'untidy',
    cause:
      'The cluster has permissions of Calico. The manifests of podwire change nothing of it, but two of them bring another agent, which never starts on a node that has one.',
    remedy: "Use podwire in place of Calico's plugin, and keep the agent as it is: docs/install.md, section 9.",
    causes: [],
  },
} as const satisfies Readonly<Record<FindingNumber, FindingDescription>>;
