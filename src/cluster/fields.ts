/** JSON or YAML of another shape than wanted. `message` names the field, what is there and what is wanted, never its value. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** An object whose fields nobody has looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * @param where the field's path as a person would write it, `spec.podCIDRs`
 * @throws {ShapeError}
 */
export function parseFields(value: unknown, where: string): Fields {
  if (isFields(value)) return value;
  throw new ShapeError(`${where} is ${kindOf(value)}, an object is wanted`);
}

/** @throws {ShapeError} */
export function parseOptionalFields(value: unknown, where: string): Fields {
  return value === undefined || value === null ? {} : parseFields(value, where);
}

/** @throws {ShapeError} */
export function parseList(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new ShapeError(`${where} is ${kindOf(value)}, a list is wanted`);
}

/**
 * A string that is there and not empty.
 *
 * @throws {ShapeError}
 */
export function parseText(value: unknown, where: string): string {
  const text = parseOptionalText(value, where);
  if (text === undefined) throw new ShapeError(`${where} is missing or empty, text is wanted`);
  return text;
}

/**
 * A string, or undefined where there is none. The API and kubeconfigs leave out what is empty, so '' means absent too.
 *
 * @throws {ShapeError}
 */
export function parseOptionalText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new ShapeError(`${where} is ${kindOf(value)}, text is wanted`);
}

/** @throws {ShapeError} */
export function parseTextMap(value: unknown, where: string): Readonly<Record<string, string>> {
  const fields = parseOptionalFields(value, where);
  const entries = Object.entries(fields).map(([key, text]): [string, string] => {
    if (typeof text === 'string') return [key, text];
    throw new ShapeError(`${where}[${JSON.stringify(key.slice(0, 64))}] is ${kindOf(text)}, text is wanted`);
  });
  return Object.fromEntries(entries);
}

/** True or false; false where it is absent. */
export function parseFlag(value: unknown, where: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new ShapeError(`${where} is ${kindOf(value)}, true or false is wanted`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return KINDS[typeof value] ?? typeof value;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};
