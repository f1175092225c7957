import { join } from 'node:path';
import { readNodeName } from '../../agent/node-name.ts';
import { readConnection, type ApiConnection } from '../../cluster/credentials/connection.ts';
import { NO_CONNECTION_SETTINGS } from '../../cluster/credentials/connection-settings.ts';
import type { Environment } from '../../cni/environment.ts';
import { CniError } from '../../cni/error.ts';
import type { ApiFacts } from '../../diagnosis/api-facts.ts';
import type { NodeFacts, Seen } from '../../diagnosis/facts.ts';
import { parseJsonObject } from '../../json/json.ts';
import type { NetworkConfig } from '../../netconf/network-config.ts';
import { messageOf } from '../../system/error-text.ts';
import { openNodeFiles, type NodeFiles } from './node-files.ts';
import { observeAddresses } from './observe-addresses.ts';
import { observeApi } from './observe-api.ts';
import { observeConfigs } from './observe-configs.ts';
import { observeFailures } from './observe-failures.ts';
import { observeJournal } from './observe-journal.ts';
import { observeMachine } from './observe-machine.ts';
import { observeMultus } from './observe-multus.ts';
import { observeNetwork } from './observe-network.ts';
import { observePackets } from './observe-packets.ts';
import { observeProcesses } from './observe-processes.ts';
import { observePrograms, typesIn } from './observe-programs.ts';
import { readRegularFile } from './read-regular-file.ts';
import { findRuntimeSocket, observeRuntime } from './observe-runtime.ts';
import { findOtherCredentials } from './other-credentials.ts';

/** Why something was not observed. */
export const NO_VALID_CONFIGURATION = 'the node has no valid network configuration of podwire';

/** How a node is observed. */
export interface ObserveOptions {
  readonly environment: Environment;
  readonly executablePath: string;
  /** Where the file system of the node is. `undefined`: the mounts of the DaemonSet, otherwise `/`. */
  readonly root: string | undefined;
  /** Of an administrator, to read what the plugin may not. */
  readonly kubeconfigPath: string | undefined;
  readonly timeoutMs: number;
}

/** Observes everything that the checks of a node need. It changes nothing. */
export function observeNode(options: ObserveOptions): Promise<NodeFacts> {
  return observe(options, 'with the API');
}

/** Observes only the node itself. */
export function observeLocally(options: ObserveOptions): Promise<NodeFacts> {
  return observe(options, 'without the API');
}

async function observe(options: ObserveOptions, extent: 'with the API' | 'without the API'): Promise<NodeFacts> {
  const { environment, timeoutMs } = options;
  const files = openNodeFiles(options.root, environment);
  const { here, onNode } = files.layout;
  const { files: configs, own } = observeConfigs(here.configs, environment);
  const config = own.kind === 'valid' ? own.config : undefined;
  const nodeName = config && nodeNameOf(config, files);
  const runtime = await observeRuntime(findRuntimeSocket(environment, files), Math.min(timeoutMs, MAX_LOCAL_MS));
  const network = await seen(observeNetwork);
  const journal = await seen(async () => {
    if (config === undefined) throw new Error('the network is unknown, because its configuration is not valid');
    return observeJournal(config.name, files);
  });
  const attached = journal.kind === 'seen' ? journal.value.attachments : [];
  const pod = attached.find(({ stage, pod: name }) => stage === 'attached' && name !== '')?.pod;
  const failures = observeFailures(config?.log.filePath === undefined ? undefined : files.at(config.log.filePath));
  const failedPods =
    failures.kind === 'seen' ? failures.value.map(({ pod: name }) => name).filter((name) => name !== '') : [];
  const api = await seen(async () => {
    if (config === undefined) throw new Error(NO_VALID_CONFIGURATION);
    if (extent === 'without the API') throw new Error('the API server is not asked');
    return await askApi(config, { ...options, files, nodeName, pod, failedPods: [...new Set(failedPods)] });
  });
  const links = network.kind === 'seen' ? network.value.links : [];
  const programFolders = runtime.kind === 'seen' ? runtime.value.folders?.programs : undefined;
  return {
    nowMs: Date.now(),
    nodeName,
    folders: { configs: onNode.configs, programs: onNode.programs },
    runtime,
    configs,
    own,
    multus: observeMultus(configs, files),
    programs: await seen(async () => {
      if (own.kind === 'absent') throw new Error('podwire has no network configuration on this node');
      const list = parseJsonObject(readRegularFile(join(here.configs, own.fileName)));
      return observePrograms(typesIn(list), programFolders ?? [onNode.programs], files, MAX_LOCAL_MS);
    }),
    api,
    addresses:
      config === undefined
        ? { kind: 'unseen', why: NO_VALID_CONFIGURATION }
        : observeAddresses(config, nodeName, podCidrsOf(api), files),
    journal,
    links: network.kind === 'seen' ? { kind: 'seen', value: network.value.links } : network,
    routes: network.kind === 'seen' ? { kind: 'seen', value: network.value.routes } : network,
    machine: await observeMachine(files, links, {
      prefix: config?.hostInterfacePrefix ?? 'cali',
      executablePath: options.executablePath,
    }),
    packets: await observePackets(environment['PATH']),
    processes: observeProcesses(),
    failures,
  };
}

const MAX_LOCAL_MS = 5000;

/** The name of the Node, `undefined` if nothing tells it. */
export function nodeNameOf(config: NetworkConfig, files: NodeFiles): string | undefined {
  try {
    return config.podCidrNodeName ?? readNodeName({ ...config, nodeNameFile: files.at(config.nodeNameFile) });
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

/**
 * Asks the API server of a network configuration.
 *
 * @throws {CniError} if the kubeconfig cannot be used
 */
async function askApi(
  config: NetworkConfig,
  {
    environment,
    files,
    nodeName,
    pod,
    failedPods,
    kubeconfigPath,
    timeoutMs,
  }: Omit<ObserveOptions, 'root' | 'executablePath'> & {
    readonly files: NodeFiles;
    readonly nodeName: string | undefined;
    readonly pod: string | undefined;
    readonly failedPods: readonly string[];
  },
): Promise<ApiFacts> {
  const connection = await readPluginConnection(config, files);
  const other = await findOtherCredentials({ environment, files, kubeconfigPath, server: connection.server.text });
  return observeApi({
    connection,
    budgets: config.budgets,
    nodeName,
    pod,
    failedPods,
    other,
    timeoutMs,
    show: files.show,
  });
}

/** The connection of the plugin. The environment is that of the runtime, which is not known here. */
async function readPluginConnection(config: NetworkConfig, files: NodeFiles): Promise<ApiConnection> {
  const { kubeconfigPath } = config.connection;
  const mapped = kubeconfigPath === undefined ? undefined : files.at(kubeconfigPath);
  try {
    return await readConnection({ ...NO_CONNECTION_SETTINGS, ...config.connection, kubeconfigPath: mapped }, {});
  } catch (error) {
    if (error instanceof CniError) throw new Error(files.show(error.message), { cause: error });
    throw error;
  }
}

function podCidrsOf(api: Seen<ApiFacts>) {
  if (api.kind === 'unseen' || api.value.node.kind === 'unseen' || api.value.node.value === 'absent') return [];
  return api.value.node.value.podCidrs;
}

async function seen<Value>(read: () => Promise<Value>): Promise<Seen<Value>> {
  try {
    return { kind: 'seen', value: await read() };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error) };
  }
}
