import type { FindingNumber } from '../cni/error.ts';
import { FAILURES, type FindingDescription } from './finding-description.ts';

/** Findings about addresses, the node's network, attachments and the policy agent: PW3xx and PW5xx to PW8xx. */
export const NETWORK_FINDINGS = {
  PW301: {
    title: 'The Node has no podCIDR',
    effect: 'pods cannot start',
    cause: 'The controller manager does not assign podCIDRs, or has assigned all of them.',
    remedy:
      'Start the controller manager with --allocate-node-cidrs and a --cluster-cidr with room for every node, or set spec.podCIDRs of the Node.',
    causes: [...FAILURES],
  },
  PW302: {
    title: 'The Node has another name',
    effect: 'pods cannot start',
    cause: 'The API server has no Node of the name that podwire uses for this machine.',
    remedy: 'Set nodename in the network configuration to the name that "kubectl get nodes" shows.',
    causes: ['PW301', ...FAILURES],
  },
  PW303: {
    title: 'The podCIDR overlaps another network',
    effect: 'pods have no traffic',
    cause:
      'An interface of the node has an address in the podCIDR; or a network of the node or of Services, or one that a route of the node leads to, overlaps it.',
    remedy: 'Remove the address or the route, or give the cluster another --cluster-cidr.',
    causes: [],
  },
  PW305: {
    title: 'Addresses are leaked',
    effect: 'will fail soon',
    cause: 'Leases belong to containers that no longer exist, because a runtime did not send DEL.',
    remedy: 'Release them with "podwire gc".',
    causes: ['PW306', ...FAILURES],
  },
  PW306: {
    title: 'The range of addresses is full',
    effect: 'pods cannot start',
    cause: 'Running pods use every address of the podCIDR.',
    remedy: 'Give nodes larger podCIDRs, or let the kubelet run fewer pods (maxPods).',
    causes: [...FAILURES],
  },
  PW307: {
    title: 'A host interface is left over, or belongs to another program',
    effect: 'untidy',
    cause:
      'A host interface exists whose container does not, or another program created one with the name that a pod needs.',
    remedy: 'Remove what is left over with "podwire gc".',
    causes: [],
  },
  PW308: {
    title: 'Another program has a route in the podCIDR',
    effect: 'will fail soon',
    cause:
      'A route to an address of the podCIDR leads to an interface that is not a pod. A pod that gets this address cannot start.',
    remedy: 'Find out which program added the route, and delete it.',
    causes: [...FAILURES],
  },
  PW501: {
    title: 'The node does not answer its pods',
    effect: 'pods have no traffic',
    cause:
      'The node has no route to the gateway of its pods, 169.254.1.1, so the kernel does not answer their ARP requests.',
    remedy: 'Give the node a default route, or add a route to 169.254.1.1 at each boot.',
    causes: [],
  },
  PW502: {
    title: 'Pods have the wrong MTU',
    effect: 'pods have no traffic',
    cause: 'The MTU of pods is larger than that of the network. Small packets pass and large ones are lost.',
    remedy: 'Recreate the pods that started before the MTU was known; "require_mtu_file": true prevents it.',
    causes: [],
  },
  PW503: {
    title: 'The node does not forward packets',
    effect: 'pods have no traffic',
    cause: 'Forwarding is off, or a firewall drops every forwarded packet.',
    remedy: 'Turn forwarding on, and accept forwarded packets.',
    causes: [],
  },
  PW504: {
    title: 'A network manager controls host interfaces',
    effect: 'pods have no traffic',
    cause:
      'NetworkManager or systemd-networkd manages the interfaces of pods, and removes their routes or changes their MAC.',
    remedy: 'Make cali* unmanaged.',
    causes: [],
  },
  PW505: {
    title: 'The connection table is full',
    effect: 'pods have no traffic',
    cause: 'The kernel drops packets of new connections if its table of connections (conntrack) is full.',
    remedy: 'Increase net.netfilter.nf_conntrack_max, or find the pod that opens so many connections.',
    causes: [],
  },
  PW506: {
    title: 'A disk is full',
    effect: 'will fail soon',
    cause:
      'The file system of /var/lib, where podwire keeps its journal and host-local its leases, has no space or no inodes left.',
    remedy: 'Free space on it.',
    causes: [...FAILURES],
  },
  PW507: {
    title: 'The reverse path filter drops packets',
    effect: 'pods have no traffic',
    cause:
      'A strict rp_filter drops packets that arrive on another interface than the one that the route to their sender leads to. Or it is loose (2), with which Felix does not start.',
    remedy:
      'Set rp_filter of the interface to 2 if packets take different ways in and out; keep that of "all" at 0 or 1.',
    causes: [],
  },
  PW508: {
    title: 'firewalld rejects packets of pods',
    effect: 'pods have no traffic',
    cause: 'firewalld rejects forwarded packets of interfaces that are in no zone which accepts them.',
    remedy: 'Turn firewalld off, or put the podCIDRs of all nodes into its zone "trusted".',
    causes: [],
  },
  PW509: {
    title: 'A pod does not reach itself by its host port',
    effect: 'untidy',
    cause:
      'portmap is configured with "snat": false, so the answer to a packet that a pod sends to its own host port does not come back (hairpin).',
    remedy: 'Remove "snat": false, and recreate pods with host ports.',
    causes: [],
  },
  PW601: {
    title: 'A running pod has lost its network',
    effect: 'pods have no traffic',
    cause: 'Another program deleted the host interface or the route of a pod, or changed settings of the interface.',
    remedy: 'Delete the pod, so that it is attached again, and find out which program it was.',
    causes: [],
  },
  PW602: {
    title: 'Commands fail',
    effect: 'pods cannot start',
    cause: 'ADD or DEL of a pod has failed in the last minutes, and not succeeded since.',
    remedy: 'Read the message.',
    causes: [],
  },
  PW603: {
    title: 'Endpoints or records are left over',
    effect: 'untidy',
    cause: 'The API server was away during a DEL, or a record is damaged.',
    remedy: 'The next DEL or GC finishes it; "podwire gc" does it now.',
    causes: [],
  },
  PW604: {
    title: 'A trial attachment fails',
    effect: 'pods cannot start',
    cause:
      '"podwire doctor --try" attached a network namespace as a runtime does, without a pod. ADD, CHECK, a packet or DEL failed.',
    remedy: 'Read the message.',
    causes: [],
  },
  PW701: {
    title: 'The policy agent uses another prefix',
    effect: 'pods have no traffic',
    cause:
      'FELIX_INTERFACEPREFIX of the agent and of the container runtime differ, so the agent ignores the interfaces of pods.',
    remedy: 'Set the same prefix for both.',
    causes: [],
  },
  PW801: {
    title: 'A route to another node is missing',
    effect: 'pods have no traffic',
    cause:
      'This node has routes to the podCIDRs of some nodes and not to those of others, or to none although BIRD runs. Packets of its pods to the latter leave by the default route.',
    remedy:
      'Check what distributes the routes on both nodes: BGP sessions (birdc show protocols), or the program that adds them.',
    causes: [],
  },
  PW803: {
    title: 'Answers from outside do not reach pods',
    effect: 'pods have no traffic',
    cause:
      'The network outside has no route to the podCIDR, and nothing masquerades packets that leave the cluster; or a firewall drops them.',
    remedy:
      'Add routes to the podCIDRs to the network, or masquerade packets to destinations outside the cluster, on each node.',
    causes: [],
  },
} as const satisfies Readonly<Record<FindingNumber, FindingDescription>>;
