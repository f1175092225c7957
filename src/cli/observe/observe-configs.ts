import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../cni/environment.ts';
import { CniError } from '../../cni/error.ts';
import type { ConfigFile, OwnConfig, Seen } from '../../diagnosis/facts.ts';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { parseNetworkConfig, parseNetworkHeader, type NetworkConfig } from '../../netconf/network-config.ts';
import { errnoOf, messageOf } from '../../system/error-text.ts';
import { readRegularFile } from './read-regular-file.ts';

/** The network configurations of a node, in the order in which a runtime reads them. */
export interface ObservedConfigs {
  readonly files: Seen<readonly ConfigFile[]>;
  readonly own: OwnConfig;
}

/** Reads the folder of network configurations. Runtimes read .conf, .conflist and .json, and use the first by name. */
export function observeConfigs(folder: string, environment: Environment): ObservedConfigs {
  let names: readonly string[];
  try {
    names = readdirSync(folder).filter((name) => /\.(conf|conflist|json)$/.test(name));
  } catch (error) {
    // A node without the folder has no network configuration.
    if (errnoOf(error) === 'ENOENT') return { files: { kind: 'seen', value: [] }, own: { kind: 'absent' } };
    return {
      files: { kind: 'unseen', why: `the folder cannot be read: ${messageOf(error)}` },
      own: { kind: 'absent' },
    };
  }
  const read = names.toSorted().map((name) => ({ name, ...readConfig(join(folder, name)) }));
  const chosen = read.find(({ list }) => list !== undefined && pluginsOf(list).some(isOwnPlugin));
  return {
    files: { kind: 'seen', value: read.map(({ name, list, problem }) => describe(name, list, problem)) },
    own: chosen?.list === undefined ? { kind: 'absent' } : parseOwn(chosen.name, chosen.list, environment),
  };
}

/** Reads a network configuration, of a list of plugins or of one. */
function readConfig(path: string): { readonly list: JsonObject | undefined; readonly problem: string | undefined } {
  try {
    const list = parseJsonObject(readRegularFile(path), 'the file');
    const problem =
      path.endsWith('.conflist') && list['plugins'] === undefined ? 'it has no list "plugins"' : undefined;
    return { list, problem };
  } catch (error) {
    return { list: undefined, problem: messageOf(error) };
  }
}

function describe(name: string, list: JsonObject | undefined, problem: string | undefined): ConfigFile {
  const text = (key: string) => (typeof list?.[key] === 'string' ? list[key] : undefined);
  const plugins =
    list === undefined ? [] : pluginsOf(list).map(({ type }) => (typeof type === 'string' ? type : 'without a type'));
  return {
    name,
    problem,
    network: text('name'),
    cniVersion: text('cniVersion'),
    plugins,
    masqueradesHostPorts: masqueradesHostPorts(list),
  };
}

// portmap's default is true.
function masqueradesHostPorts(list: JsonObject | undefined): boolean | undefined {
  const portmap = list === undefined ? undefined : pluginsOf(list).find(({ type }) => type === 'portmap');
  return portmap && portmap['snat'] !== false;
}

function parseOwn(fileName: string, list: JsonObject, environment: Environment): OwnConfig {
  try {
    return { kind: 'valid', fileName, config: parseOwnPlugin(list, environment) };
  } catch (error) {
    if (error instanceof CniError) return { kind: 'invalid', fileName, error };
    throw error;
  }
}

/**
 * Parses the plugin of a configuration that podwire is, with what libcni passes to each plugin of a list. If none is of
 * its type, podwire is called under another name: then it is the first.
 *
 * @throws {CniError} as {@link parseNetworkConfig}
 */
export function parseOwnPlugin(list: JsonObject, environment: Environment): NetworkConfig {
  return parseNetworkConfig(parseNetworkHeader(ownPluginOf(list)), environment);
}

/** The configuration that a runtime passes to podwire. */
export function ownPluginOf(list: JsonObject): JsonObject {
  if (list['plugins'] === undefined) return list;
  const plugins = pluginsOf(list);
  const { cniVersion, name } = list;
  return {
    ...(plugins.find(isOwnPlugin) ?? plugins[0]),
    ...(cniVersion !== undefined && { cniVersion }),
    ...(name !== undefined && { name }),
  };
}

/** The plugins of a list, or the only one. */
export function pluginsOf(list: JsonObject): readonly JsonObject[] {
  const plugins: JsonValue = list['plugins'] ?? null;
  return isJsonList(plugins) ? plugins.filter(isJsonObject) : [list];
}

function isOwnPlugin({ type }: JsonObject): boolean {
  return type === 'podwire';
}
