import { isJsonObject, type JsonObject, type JsonValue } from '../../src/json/json.ts';
import { parseNetworkConfig, parseNetworkHeader } from '../../src/netconf/network-config.ts';

const VALID: JsonObject = { cniVersion: '1.1.0', name: 'n', type: 'podwire', ipam: { type: 'host-local' } };

/** Objects whose members the parser reads one by one. */
const GROUPS = ['kubernetes', 'policy', 'budgets', 'feature_control', 'container_settings', 'dns'] as const;

/** Every key that the parser of the network configuration reads: `mtu`, `budgets.api_connect_ms`. */
export function keysThatAreRead(): readonly string[] {
  const seen = new Set<string>();
  const watch = (object: JsonObject, prefix: string): JsonObject =>
    new Proxy(object, {
      getOwnPropertyDescriptor(target, name) {
        seen.add(`${prefix}${String(name)}`);
        return Reflect.getOwnPropertyDescriptor(target, name);
      },
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof name === 'string' && Object.hasOwn(target, name)) seen.add(`${prefix}${name}`);
        return isJsonObject(value) && typeof name === 'string' ? watch(value, `${prefix}${name}.`) : value;
      },
    });
  const groups = Object.fromEntries(GROUPS.map((name) => [name, {}]));
  parseNetworkConfig(parseNetworkHeader(watch({ ...VALID, ...groups }, '')), {});
  return [...seen].filter((name) => !GROUPS.some((group) => group === name) || name === 'dns').toSorted();
}

/** What the parser says that a key must be: `a whole number from 68 to 65535`. */
export function typeOf(key: string): string {
  // A value that no key accepts: a list of a list, or a number where a list is right.
  for (const wrong of [[[]], 1.5]) {
    const message = refusalOf(withKey(VALID, key, wrong));
    const [, expected] = /expected (.+?), got /.exec(message ?? '') ?? [];
    if (expected !== undefined) return expected;
  }
  throw new Error(`the parser accepts anything for ${key}`);
}

/** True if the parser accepts a value of a key. */
export function isAccepted(key: string, value: JsonValue): boolean {
  return refusalOf(withKey(VALID, key, value)) === undefined;
}

function refusalOf(config: JsonObject): string | undefined {
  try {
    parseNetworkConfig(parseNetworkHeader(config), {});
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function withKey(config: JsonObject, key: string, value: JsonValue): JsonObject {
  const [name = '', ...rest] = key.split('.');
  if (rest.length === 0) return { ...config, [name]: value };
  const inner = config[name];
  return { ...config, [name]: withKey(isJsonObject(inner) ? inner : {}, rest.join('.'), value) };
}
