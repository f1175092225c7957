import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseNetworkConfig, parseNetworkHeader } from '../netconf/network-config.ts';
import { holdsSecret } from './holds-secret.ts';
import { InstallError } from './install-error.ts';

/** A network configuration that a runtime can use. */
export interface RenderedConfig {
  readonly text: string;
  /** The file names of every plugin and IPAM plugin in it. */
  readonly programs: readonly string[];
  /** Those of them that podwire runs itself: its IPAM plugins. */
  readonly ipamPrograms: readonly string[];
  /** Whether the template has a place for the plugin's token: then the text changes with each token. */
  readonly holdsToken: boolean;
  /** Then only root may read the file. */
  readonly holdsSecret: boolean;
}

/** The value of each placeholder. Text is for the inside of a JSON string or a number; anything else is inserted as JSON. */
export type PlaceholderValues = Readonly<Record<string, JsonValue>>;

/**
 * Replaces each `__NAME__` of a template by its value. A template for Calico's plugin is changed to podwire.
 *
 * @param fileName decides what a runtime reads: `.conflist` is a list of plugins, the other extensions are one plugin
 * @throws {InstallError | CniError} naming what is invalid, without any value, because one of them is a token
 */
export function renderNetworkConfig(template: string, values: PlaceholderValues, fileName: string): RenderedConfig {
  const unknown = new Set<string>();
  const text = template.replaceAll(PLACEHOLDER, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unknown.add(placeholder);
    return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value ?? null);
  });
  if (unknown.size > 0) throw templateError(`has unknown placeholders: ${[...unknown].join(', ')}`);
  const given = parseJsonObject(text, `${WHAT} with its placeholders replaced`);
  const isForCalico = !pluginsOf(given, fileName).some(isOwn);
  const config = isForCalico ? replaceCalico(given) : given;
  const plugins = pluginsOf(config, fileName);
  const own = plugins.filter(isOwn);
  if (own.length === 0) throw templateError('has no plugin of "type": "podwire" or "calico", which podwire replaces');
  for (const plugin of own) {
    if (programsOf(plugin).includes('calico-ipam')) {
      throw templateError(
        'has "ipam" of type calico-ipam, whose pools podwire does not support: use host-local, with "usePodCidr"',
      );
    }
    const header = parseNetworkHeader({ ...plugin, ...sharedWith(config) });
    const { datastoreType } = parseNetworkConfig(header, {}).connection;
    if (datastoreType !== undefined && datastoreType !== 'kubernetes') {
      throw templateError('has a datastore_type other than kubernetes, the only one that podwire supports');
    }
  }
  const holdsToken = template.includes('__SERVICEACCOUNT_TOKEN__');
  const written = isForCalico ? JSON.stringify(config, undefined, 2) : text;
  return {
    text: written.endsWith('\n') ? written : `${written}\n`,
    programs: [...new Set(plugins.flatMap(programsOf))],
    ipamPrograms: [...new Set(own.flatMap(ipamProgramsOf))],
    holdsToken,
    holdsSecret: holdsToken || holdsSecret(config),
  };
}

function isOwn(plugin: JsonObject): boolean {
  return plugin['type'] === 'podwire';
}

/** Changes only the type: podwire reads every other key that Calico's plugin reads. */
function replaceCalico(config: JsonObject): JsonObject {
  const list: JsonValue = config['plugins'] ?? null;
  return {
    ...config,
    ...(config['type'] === 'calico' && { type: 'podwire' }),
    ...(isJsonList(list) && {
      plugins: list.map((plugin) => (isJsonObject(plugin) ? replaceCalico(plugin) : plugin)),
    }),
  };
}

function pluginsOf(config: JsonObject, fileName: string): readonly JsonObject[] {
  const list: JsonValue = config['plugins'] ?? null;
  const isList = isJsonList(list);
  if (fileName.endsWith('.conflist') !== isList) {
    throw templateError(
      isList
        ? `is a list of plugins, which runtimes read only from a file that ends in .conflist, not from ${fileName}`
        : `has no list "plugins", which runtimes require in a file that ends in .conflist`,
    );
  }
  if (!isList) return [config];
  return list.map((plugin, index) => {
    if (isJsonObject(plugin) && typeof plugin['type'] === 'string') return plugin;
    throw templateError(`has a plugins[${index}] that is not an object with a "type"`);
  });
}

// libcni passes these to each plugin of the list.
function sharedWith(config: JsonObject): JsonObject {
  return { cniVersion: config['cniVersion'] ?? null, name: config['name'] ?? null };
}

function programsOf(plugin: JsonObject): readonly string[] {
  const type: JsonValue = plugin['type'] ?? null;
  return [...(typeof type === 'string' ? [type] : []), ...ipamProgramsOf(plugin)];
}

function ipamProgramsOf(plugin: JsonObject): readonly string[] {
  const ipam: JsonValue = plugin['ipam'] ?? null;
  const type: JsonValue = (isJsonObject(ipam) ? ipam['type'] : null) ?? null;
  return typeof type === 'string' ? [type] : [];
}

function templateError(problem: string): InstallError {
  return new InstallError(`${WHAT} ${problem}; correct CNI_NETWORK_CONFIG, or the file of CNI_NETWORK_CONFIG_FILE`);
}

const WHAT = 'the template of the network configuration';
const PLACEHOLDER = /__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__/g;
