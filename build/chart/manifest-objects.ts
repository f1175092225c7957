import { parseAllDocuments } from 'yaml';

/** Values of JSON, which may be changed. */
export type Mutable = null | boolean | number | string | Mutable[] | { [key: string]: Mutable };

/** Parses the objects of a manifest in YAML. */
export function parseObjects(text: string): readonly Mutable[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    return value !== null && isMutable(value) ? [value] : [];
  });
}

function isMutable(value: unknown): value is Mutable {
  if (typeof value !== 'object' || value === null)
    return value === null || /^(string|number|boolean)$/.test(typeof value);
  return Object.values(value).every(isMutable);
}

/** The kind and the name, by which an object is found. The hash at the end of the name of a ConfigMap is left out. */
export function nameOf(object: Mutable): string {
  const kind = textAt(object, 'kind');
  const name = textAt(object, 'metadata', 'name');
  return `${kind} ${kind === 'ConfigMap' ? name.replace(/-[a-z0-9]{10}$/, '') : name}`;
}

/** The value at a path of keys; undefined if there is none. A list is entered by the `name` of one of its items. */
export function valueAt(value: Mutable | undefined, ...path: readonly string[]): Mutable | undefined {
  const [key, ...rest] = path;
  if (key === undefined || value === undefined || value === null || typeof value !== 'object')
    return key === undefined ? value : undefined;
  const next = Array.isArray(value) ? value.find((item) => valueAt(item, 'name') === key) : value[key];
  return valueAt(next, ...rest);
}

/** The text at a path. @throws {Error} if there is none */
export function textAt(value: Mutable, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  if (typeof found === 'string') return found;
  throw new Error(`no text at ${path.join('.')} of ${JSON.stringify(value).slice(0, 200)}`);
}

/** Replaces the value at a path, which must exist, so that a change of the manifests is noticed. */
export function replaceAt(value: Mutable, path: readonly string[], replacement: Mutable): void {
  const parent = valueAt(value, ...path.slice(0, -1));
  const key = path.at(-1) ?? '';
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent) || !Object.hasOwn(parent, key)) {
    throw new Error(`nothing at ${path.join('.')} of ${JSON.stringify(value).slice(0, 200)}`);
  }
  parent[key] = replacement;
}
