import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseNetworkConfig, parseNetworkHeader } from '../netconf/network-config.ts';

/** A network configuration that a runtime can use. */
export interface RenderedConfig {
  readonly text: string;
  /** The file names of all plugins and IPAM plugins that it names. */
  readonly programs: readonly string[];
  /** Root alone may read it then. */
  readonly holdsToken: boolean;
}

/**
 * A template with each `__NAME__` replaced by its value, which is text inside a JSON string or a number.
 *
 * @param fileName decides what a runtime reads: `.conflist` has a list of plugins, the others are one plugin
 * @throws {CniError} 7 naming what is wrong, without any value: one of them is a token
 */
export function renderNetworkConfig(
  template: string,
  values: Readonly<Record<string, string>>,
  fileName: string,
): RenderedConfig {
  const unknown = new Set<string>();
  const text = template.replaceAll(PLACEHOLDER, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unknown.add(placeholder);
    return JSON.stringify(value ?? '').slice(1, -1);
  });
  if (unknown.size > 0) throw refused(`has placeholders that podwire does not know: ${[...unknown].join(', ')}`);
  const given = parseJsonObject(text, `${WHAT} with its placeholders replaced`);
  const isCalicos = !pluginsOf(given, fileName).some(isOwn);
  const config = isCalicos ? inPlaceOfCalico(given) : given;
  const plugins = pluginsOf(config, fileName);
  const own = plugins.filter(isOwn);
  if (own.length === 0) throw refused('has no plugin of "type": "podwire", nor of "calico", whose place it takes');
  for (const plugin of own) {
    if (programsOf(plugin).includes('calico-ipam'))
      throw refused(
        'has "ipam" of type calico-ipam, whose pools podwire does not know: use host-local, with "usePodCidr"',
      );
    const header = parseNetworkHeader({ ...plugin, ...sharedWith(config) });
    const { datastoreType } = parseNetworkConfig(header, {}).connection;
    if (datastoreType !== undefined && datastoreType !== 'kubernetes')
      throw refused('has another datastore_type than kubernetes, the only one that podwire knows');
  }
  const written = isCalicos ? JSON.stringify(config, undefined, 2) : text;
  return {
    text: written.endsWith('\n') ? written : `${written}\n`,
    programs: [...new Set(plugins.flatMap(programsOf))],
    holdsToken: template.includes('__SERVICEACCOUNT_TOKEN__'),
  };
}

function isOwn(plugin: JsonObject): boolean {
  return plugin['type'] === 'podwire';
}

/** All else that Calico's plugin reads, podwire reads too. */
function inPlaceOfCalico(config: JsonObject): JsonObject {
  const list: JsonValue = config['plugins'] ?? null;
  return {
    ...config,
    ...(config['type'] === 'calico' && { type: 'podwire' }),
    ...(isJsonList(list) && {
      plugins: list.map((plugin) => (isJsonObject(plugin) ? inPlaceOfCalico(plugin) : plugin)),
    }),
  };
}

function pluginsOf(config: JsonObject, fileName: string): readonly JsonObject[] {
  const list: JsonValue = config['plugins'] ?? null;
  const isList = isJsonList(list);
  if (fileName.endsWith('.conflist') !== isList)
    throw refused(
      isList
        ? `is a list of plugins, which runtimes read only from a file that ends in .conflist, not from ${fileName}`
        : `has no list "plugins", which runtimes want in a file that ends in .conflist`,
    );
  if (!isList) return [config];
  return list.map((plugin, index) => {
    if (isJsonObject(plugin) && typeof plugin['type'] === 'string') return plugin;
    throw refused(`has a plugins[${index}] that is no object with a "type"`);
  });
}

// As libcni hands them to each plugin of the list.
function sharedWith(config: JsonObject): JsonObject {
  return { cniVersion: config['cniVersion'] ?? null, name: config['name'] ?? null };
}

function programsOf(plugin: JsonObject): readonly string[] {
  const ipam: JsonValue = plugin['ipam'] ?? null;
  const types = [plugin['type'], isJsonObject(ipam) ? ipam['type'] : undefined];
  return types.filter((type) => typeof type === 'string');
}

function refused(problem: string): CniError {
  return new CniError(
    ERROR_CODE.invalidConfig,
    `${WHAT} ${problem}: correct CNI_NETWORK_CONFIG, or the file of CNI_NETWORK_CONFIG_FILE`,
  );
}

const WHAT = 'the template of the network configuration';
const PLACEHOLDER = /__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__/g;
