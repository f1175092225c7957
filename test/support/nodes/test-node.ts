import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { netconf, type NetconfOverrides } from '../../lab/netconf.ts';
import type { PluginStart } from '../../lab/run-plugin.ts';
import type { RuntimeCall, RuntimeConfig } from '../../lab/runtime-call.ts';
import { observeNode, readLeases, type NodeState } from './node-state.ts';

/** One call of the plugin on a node. Absent members are those of a valid attachment. */
export interface NodeCall extends Omit<PluginStart, 'pluginPath' | 'pod' | 'config'> {
  readonly pluginPath?: string;
  /** `none`: CNI_ARGS is not set. */
  readonly pod?: RuntimeCall['pod'] | 'none';
  /** The whole network configuration; by default the node's. */
  readonly config?: RuntimeConfig;
  /** Members that replace those of the node's network configuration. Not together with `config`. */
  readonly settings?: JsonObject;
}

/** The parameters of a node. */
export interface NodeParts {
  /** The name of the Node object. */
  readonly name: string;
  readonly network: string;
  readonly cniVersion?: '1.0.0' | '1.1.0';
  /** Its folder below /run. */
  readonly folder: string;
  /** The folder of host-local. */
  readonly pluginPath: string;
  /** The members of `ipam` that configure host-local's ranges. */
  readonly ranges: JsonObject;
  /** The folder of the journals of all networks. */
  readonly journalFolder: string;
  /** The pod of calls that do not specify one. */
  readonly pod?: RuntimeCall['pod'];
  /** Variables that each call adds to those of a runtime. */
  readonly environment?: RuntimeCall['environment'];
  /** True for lines about this node's pods, if several nodes share a network namespace. */
  readonly isOurs?: (line: string) => boolean;
  /** Lists the endpoints of pods, one line of text for each. */
  readonly endpoints: () => Promise<readonly string[]> | readonly string[];
}

/**
 * A node that pods are attached to, in the private network namespace of the tests and with a real host-local. Types
 * that extend it define how the plugin runs, and the kind of API server.
 */
export interface TestNode {
  readonly name: string;
  readonly network: string;
  readonly folder: string;
  readonly kubeconfigPath: string;
  /** The folder of host-local's leases. */
  readonly dataDir: string;
  readonly pluginPath: string;
  /** The journal of the node's network. */
  readonly journal: string;
  /** A valid network configuration of this node, with `overrides`. Members of `ipam` are merged with the node's. */
  netconf(overrides?: NetconfOverrides): JsonObject;
  /** Completes a call with the members that are absent. */
  call(call: NodeCall): PluginStart;
  /** What attachments leave outside their sandbox. Equal before and after means that nothing is left. */
  state(): Promise<NodeState>;
  /** The leases only. */
  leases(): Promise<readonly string[]>;
}

/** Makes the part that all kinds of nodes share. The caller writes the kubeconfig. */
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
