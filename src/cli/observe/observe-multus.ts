import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasMultus } from '../../diagnosis/check-multus.ts';
import type { ConfigFile, MultusFact, PrimaryNetwork, Seen } from '../../diagnosis/facts.ts';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject } from '../../json/json.ts';
import { messageOf } from '../../system/error-text.ts';
import type { NodeFiles } from './node-files.ts';
import { pluginsOf } from './observe-configs.ts';
import { readRegularFile } from './read-regular-file.ts';

/**
 * Finds the network to which Multus attaches every pod. `undefined` if the runtime does not call Multus, because the first
 * configuration that it can use is another one.
 *
 * @see k8snetworkplumbingwg/multus-cni, function getNetDelegate
 */
export function observeMultus(configs: Seen<readonly ConfigFile[]>, files: NodeFiles): MultusFact | undefined {
  if (configs.kind === 'unseen') return undefined;
  const first = configs.value.find(({ problem }) => problem === undefined);
  if (first === undefined || !hasMultus(first)) return undefined;
  try {
    const list = readList(join(files.layout.here.configs, first.name));
    const multus = pluginsOf(list).find(({ type }) => type === 'multus' || type === 'multus-shim') ?? {};
    return { fileName: first.name, primary: primaryOf(multus, files) };
  } catch (error) {
    return { fileName: first.name, primary: { kind: 'unusable', why: messageOf(error) } };
  }
}

/** The folder that Multus searches for the name of a network, if its configuration does not name one. */
const CONFIGS_OF_MULTUS = '/etc/cni/multus/net.d';

function primaryOf({ clusterNetwork, delegates, confDir }: JsonObject, files: NodeFiles): PrimaryNetwork {
  if (typeof clusterNetwork === 'string' && clusterNetwork !== '') {
    return clusterNetwork.includes('/')
      ? primaryAt(clusterNetwork, files)
      : primaryNamed(clusterNetwork, typeof confDir === 'string' ? confDir : CONFIGS_OF_MULTUS, files);
  }
  const [first] = isJsonList(delegates ?? null) && Array.isArray(delegates) ? delegates.filter(isJsonObject) : [];
  if (first === undefined) return { kind: 'unusable', why: 'it has neither "clusterNetwork" nor "delegates"' };
  return describe('"delegates"', first);
}

/** A file, or a folder, of which Multus uses the first file. */
function primaryAt(path: string, files: NodeFiles): PrimaryNetwork {
  const onNode = pathOnNode(path);
  const here = files.at(onNode);
  const stats = statSync(here, { throwIfNoEntry: false });
  if (stats === undefined) return { kind: 'unusable', why: `${onNode} does not exist` };
  if (!stats.isDirectory()) return describe(onNode, readList(here));
  const [first] = listConfigs(here);
  if (first === undefined) return { kind: 'unusable', why: `${onNode} contains no network configuration` };
  return describe(`${onNode}/${first}`, readList(join(here, first)));
}

// The daemon of the thick plugin is in a container, which has the node's folders below one of these.
function pathOnNode(path: string): string {
  return path.replace(/^\/(host|hostroot)\//, '/');
}

/** A network that a file names. Otherwise it is a NetworkAttachmentDefinition, which only the cluster has. */
function primaryNamed(network: string, folder: string, files: NodeFiles): PrimaryNetwork {
  const onNode = pathOnNode(folder);
  const here = files.at(onNode);
  for (const name of listConfigs(here)) {
    try {
      const list = readList(join(here, name));
      if (list['name'] === network) return describe(`${onNode}/${name}`, list);
    } catch {
      // Multus, too, goes on with the next file.
    }
  }
  return { kind: 'elsewhere', network };
}

function listConfigs(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(conf|conflist)$/.test(name))
      .toSorted();
  } catch {
    return [];
  }
}

function readList(path: string): JsonObject {
  return parseJsonObject(readRegularFile(path), 'the file');
}

function describe(source: string, list: JsonObject): PrimaryNetwork {
  const { name } = list;
  return {
    kind: 'known',
    source,
    network: typeof name === 'string' ? name : undefined,
    plugins: pluginsOf(list).map(({ type }) => (typeof type === 'string' ? type : 'without a type')),
  };
}
