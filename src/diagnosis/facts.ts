import type { Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { CniError } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import type { ApiFacts } from './api-facts.ts';
import type { PacketFacts, ProcessFacts } from './packet-facts.ts';

/** Something that was observed, or why it could not be observed from here. */
export type Seen<Value> =
  | { readonly kind: 'seen'; readonly value: Value }
  | { readonly kind: 'unseen'; readonly why: string };

/** Everything that the checks of one node are based on. Times are milliseconds since 1970, by the clock of the node. */
export interface NodeFacts {
  readonly nowMs: number;
  /** The Node's name, `undefined` if nothing tells it. */
  readonly nodeName: string | undefined;
  readonly folders: RuntimeFolders;
  readonly runtime: Seen<RuntimeFacts>;
  readonly configs: Seen<readonly ConfigFile[]>;
  readonly own: OwnConfig;
  /** `undefined` if the runtime does not call Multus. */
  readonly multus: MultusFact | undefined;
  readonly programs: Seen<readonly ProgramFact[]>;
  readonly api: Seen<ApiFacts>;
  readonly addresses: Seen<AddressFacts>;
  readonly journal: Seen<JournalFacts>;
  readonly links: Seen<readonly LinkFact[]>;
  readonly routes: Seen<readonly RouteFact[]>;
  readonly machine: MachineFacts;
  readonly packets: PacketFacts;
  readonly processes: ProcessFacts;
  readonly failures: Seen<readonly FailedCommand[]>;
}

/** Where podwire is installed. */
export interface RuntimeFolders {
  readonly configs: string;
  readonly programs: string;
}

/** What the container runtime says about itself. */
export interface RuntimeFacts {
  /** `containerd 2.4.2`. */
  readonly name: string;
  /** Where it looks for plugins and network configurations; `undefined` if it does not say. */
  readonly folders: { readonly configs: string; readonly programs: readonly string[] } | undefined;
  /** The ids of the sandboxes that it has. */
  readonly sandboxIds: readonly string[];
}

/** A file in the folder of network configurations. */
export interface ConfigFile {
  readonly name: string;
  /** Why the runtime cannot use it. */
  readonly problem: string | undefined;
  readonly network: string | undefined;
  readonly cniVersion: string | undefined;
  /** The types of its plugins, in their order. */
  readonly plugins: readonly string[];
  /** False if portmap is configured without `snat`; undefined without portmap. */
  readonly masqueradesHostPorts: boolean | undefined;
}

/** The network configuration of podwire. */
export type OwnConfig =
  | { readonly kind: 'valid'; readonly fileName: string; readonly config: NetworkConfig }
  | { readonly kind: 'invalid'; readonly fileName: string; readonly error: CniError }
  | { readonly kind: 'absent' };

/** Multus, which the runtime calls in place of podwire, and which then calls the plugins of a primary network. */
export interface MultusFact {
  readonly fileName: string;
  readonly primary: PrimaryNetwork;
}

/** The network to which Multus attaches every pod; or why Multus has none; or its name, if only the cluster knows it. */
export type PrimaryNetwork =
  | {
      readonly kind: 'known';
      /** The path of its file, or `"delegates"`. */
      readonly source: string;
      readonly network: string | undefined;
      readonly plugins: readonly string[];
    }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'elsewhere'; readonly network: string };

/** A plugin that the network configuration names. */
export interface ProgramFact {
  readonly type: string;
  /** `undefined` if it is in no folder. */
  readonly path: string | undefined;
  readonly problem: ProgramProblem | undefined;
  /** The versions of CNI that it supports. */
  readonly versions: readonly string[];
}

export interface ProgramProblem {
  readonly kind: 'missing' | 'noexec' | 'loader' | 'other';
  readonly text: string;
  /** The commands that correct it. */
  readonly fix: readonly string[];
}

/** The leases of host-local in the network of podwire. */
export interface AddressFacts {
  readonly folder: string;
  readonly ranges: readonly Cidr[];
  readonly leases: readonly LeaseFact[];
}

export interface LeaseFact {
  readonly address: IpAddress;
  /** `undefined` for a damaged file. */
  readonly containerId: string | undefined;
  readonly ageMs: number;
}

/** What podwire's journal says. */
export interface JournalFacts {
  readonly attachments: readonly RecordFact[];
  readonly damaged: readonly DamagedRecord[];
  readonly pendingEndpointCount: number;
}

/** A record that cannot be read: its name is known. */
export interface DamagedRecord {
  readonly containerId: string;
  readonly interfaceName: string;
  readonly writtenMs: number;
}

export interface RecordFact {
  readonly containerId: string;
  readonly interfaceName: string;
  /** `default/web`; empty for an attachment without a pod. */
  readonly pod: string;
  readonly hostInterface: string;
  readonly stage: string;
  readonly isOfEarlierBoot: boolean;
  /** Undefined if the sandbox's path cannot be seen from here. */
  readonly hasSandbox: boolean | undefined;
  readonly startedMs: number;
}

export interface LinkFact {
  readonly index: number;
  readonly name: string;
  readonly mtuBytes: number;
  readonly alias: string | undefined;
  readonly addresses: readonly IpAddress[];
}

export interface RouteFact {
  readonly destination: Cidr;
  readonly interfaceName: string | undefined;
  readonly isDefault: boolean;
  /** False if the destination is on the link itself. */
  readonly hasGateway: boolean;
}

/** Settings and files of the machine. */
export interface MachineFacts {
  /** Why the node does not answer the ARP requests of its pods. */
  readonly gatewayProblem: Seen<string | undefined>;
  readonly mtuFile: { readonly bytes: number; readonly writtenMs: number } | undefined;
  /** The host interfaces that a network manager manages. */
  readonly managedInterfaces: readonly ManagedInterface[];
  /** Of the file system of /var/lib. */
  readonly disk: { readonly freeBytes: number; readonly freeInodes: number } | undefined;
  /** Whether the installed executable is this program. */
  readonly isSameProgram: boolean | undefined;
  /** The folder that the installed podwire loads its native code from. */
  readonly nativeFolder: Seen<NativeFolder>;
  /** What SELinux has denied podwire. */
  readonly denials: Seen<readonly DenialFact[]>;
  /** False if an ordinary user runs this, who cannot read most of what the checks need. */
  readonly isRoot: boolean;
  /** How the pods of podwire are deleted on this node: the DaemonSet then installs it again. */
  readonly nodeRoot: string;
}

export interface NativeFolder {
  readonly folder: string;
  /** Why nothing can be loaded from there. */
  readonly problem: string | undefined;
  readonly fix: readonly string[];
}

export interface DenialFact {
  readonly atMs: number;
  /** `execute`. */
  readonly what: string;
  /** `/var/lib/podwire`. */
  readonly object: string;
  /** The label of the object. */
  readonly label: string;
}

export interface ManagedInterface {
  readonly name: string;
  readonly manager: 'NetworkManager' | 'systemd-networkd';
}

/** A command in the log that failed. */
export interface FailedCommand {
  readonly atMs: number;
  /** `ADD`. */
  readonly command: string;
  readonly containerId: string;
  readonly pod: string;
  readonly message: string;
  /** The number in the message. */
  readonly number: string | undefined;
}
