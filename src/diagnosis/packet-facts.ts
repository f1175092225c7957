import type { Seen } from './facts.ts';
import type { ForwardChain } from './forward-rules.ts';

/** What decides on the node whether packets of pods pass. */
export interface PacketFacts {
  /** The values of settings below /proc/sys; `undefined` for a file that does not exist. */
  readonly sysctls: Readonly<Record<string, string | undefined>>;
  /** The chains that forwarded packets go through. */
  readonly firewall: Seen<readonly ForwardChain[]>;
  /** The active zones of firewalld; `undefined` if it does not run, or its program is not here. */
  readonly zones: readonly FirewallZone[] | undefined;
  /** net.ipv4.conf.INTERFACE.rp_filter of each interface, and of `all`. */
  readonly reversePathFilters: Readonly<Record<string, number>>;
  readonly counters: PacketCounters | undefined;
  /** Settings of each interface that ADD writes, and that a pod needs: `net.ipv4.conf.INTERFACE.*`. */
  readonly interfaceSettings: Readonly<Record<string, InterfaceSettings>>;
  /** What the kernel log says about a full connection table. */
  readonly connectionDrops: Seen<ConnectionDrops | undefined>;
}

/** A zone of firewalld that has interfaces or sources. */
export interface FirewallZone {
  readonly name: string;
  readonly interfaces: readonly string[];
  /** Networks and sets of addresses. */
  readonly sources: readonly string[];
}

/** Values of settings of one interface. */
export interface InterfaceSettings {
  readonly proxy_arp: string | undefined;
  readonly forwarding: string | undefined;
}

/** Counters of IPv4 of the network namespace, since it exists. */
export interface PacketCounters {
  readonly received: number;
  /** Dropped by the reverse path filter. */
  readonly reversePathDropped: number;
}

export interface ConnectionDrops {
  readonly lastMs: number;
  readonly lineCount: number;
}

/** What the processes of the node show. Without the PID namespace of the node, only those of this container are seen. */
export interface ProcessFacts {
  readonly agent: AgentProcess | undefined;
  /** The programs that keep the token in the file `calico-kubeconfig` up to date. */
  readonly tokenWriters: readonly string[];
  /** The program that sets the clock: `chronyd`. */
  readonly timeService: string | undefined;
  /** True if BIRD, which distributes routes to podCIDRs, runs. */
  readonly hasBird: boolean;
}

/** The agent, Felix, and what its environment says. */
export interface AgentProcess {
  /** FELIX_INTERFACEPREFIX. */
  readonly prefix: string;
  /** FELIX_IGNORELOOSERPF. */
  readonly ignoresLooseFilter: boolean;
}
