import { isJsonObject } from '../../src/json/json.ts';

/** A member of a value that came from outside, `undefined` if there is none. */
export function member(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isJsonObject(inner) ? inner[key] : undefined), value);
}

/** The same as text: a string as it is, anything else as JSON, `null` if there is none. */
export function memberText(value: unknown, ...keys: readonly string[]): string {
  const found = member(value, ...keys);
  return typeof found === 'string' ? found : JSON.stringify(found ?? null);
}

/** All members as text. */
export function textMembers(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(isJsonObject(value) ? Object.keys(value).map((key) => [key, memberText(value, key)]) : []);
}
