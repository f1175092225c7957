import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { netconf, type NetconfOverrides } from '../../lab/netconf.ts';
import type { PluginStart } from '../../lab/run-plugin.ts';
import type { RuntimeCall, RuntimeConfig } from '../../lab/runtime-call.ts';
import { observeNode, readLeases, type NodeState } from './node-state.ts';

/** One call of the plugin on a node. What is absent is that of a valid attachment. */
export interface NodeCall extends Omit<PluginStart, 'pluginPath' | 'pod' | 'config'> {
  readonly pluginPath?: string;
  /** `none`: CNI_ARGS is not set. */
  readonly pod?: RuntimeCall['pod'] | 'none';
  /** The whole network configuration; that of the node by default. */
  readonly config?: RuntimeConfig;
  /** What the network configuration has on top of the node's. Not together with `config`. */
  readonly settings?: JsonObject;
}

/** How a node is made. */
export interface NodeParts {
  /** Of the Node object. */
  readonly name: string;
  readonly network: string;
  readonly cniVersion?: '1.0.0' | '1.1.0';
  /** Its folder below /run. */
  readonly folder: string;
  /** The folder of host-local. */
  readonly pluginPath: string;
  /** The members of `ipam` by which host-local gets its ranges. */
  readonly ranges: JsonObject;
  /** The folder of the journals of all networks. */
  readonly journalFolder: string;
  /** The pod of calls that name none. */
  readonly pod?: RuntimeCall['pod'];
  /** On top of what a runtime sets, in each call. */
  readonly environment?: RuntimeCall['environment'];
  /** Tells lines about this node's pods from those of others, if several nodes share a network namespace. */
  readonly isOurs?: (line: string) => boolean;
  /** Each pod that has annotations of interest, one line of text each. */
  readonly endpoints: () => Promise<readonly string[]> | readonly string[];
}

/**
 * A node that pods are attached to, in the private network namespace of the tests and with a real host-local. How the plugin runs and what
 * kind of API server there is, is for those that extend it.
 */
export interface TestNode {
  readonly name: string;
  readonly network: string;
  readonly folder: string;
  readonly kubeconfigPath: string;
  /** Of host-local. */
  readonly dataDir: string;
  readonly pluginPath: string;
  /** The journal of the node's network. */
  readonly journal: string;
  /** A valid network configuration of this node, with `overrides`; those of `ipam` are on top of the node's. */
  netconf(overrides?: NetconfOverrides): JsonObject;
  /** The whole of a call, as a runtime makes it. */
  call(call: NodeCall): PluginStart;
  /** What attachments leave outside their sandbox. Equal before and after means that nothing is left. */
  state(): Promise<NodeState>;
  /** Its leases alone. */
  leases(): Promise<readonly string[]>;
}

/** The part of a node that all kinds have. The kubeconfig is still to be written. */
export function makeTestNode(parts: NodeParts): TestNode {
  const { name, network, cniVersion = '1.0.0', folder, pluginPath, ranges, journalFolder, endpoints, isOurs } = parts;
  const kubeconfigPath = join(folder, 'kubeconfig');
  const dataDir = join(folder, 'leases');
  const journal = join(journalFolder, network);
  const ofNode: TestNode['netconf'] = ({ ipam, ...overrides } = {}) =>
    netconf({
      cniVersion,
      name: network,
      nodename: name,
      kubernetes: { kubeconfig: kubeconfigPath },
      ipam: { type: 'host-local', dataDir, ...ranges, ...(isJsonObject(ipam) && ipam) },
      ...overrides,
    });
  return {
    name,
    network,
    folder,
    kubeconfigPath,
    dataDir,
    pluginPath,
    journal,
    netconf: ofNode,
    call({ config, settings, pod = parts.pod ?? 'none', environment, ...call }) {
      return {
        containerId: 'c1',
        interfaceName: 'eth0',
        sandboxPath: '',
        pluginPath,
        directory: folder,
        ...call,
        pod: pod === 'none' ? undefined : pod,
        environment: { ...parts.environment, ...environment },
        config: config ?? ofNode(settings),
      };
    },
    leases: () => readLeases(dataDir),
    state: () => observeNode({ dataDir, journal, endpoints, ...(isOurs && { isOurs }) }),
  };
}
