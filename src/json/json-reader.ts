import { CniError, type ErrorCode } from '../cni/error.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { describe, describeKind } from './quote.ts';
import { LIST, OBJECT, type Shape } from './shapes.ts';

/** Where an object comes from, for the messages about its members. */
export interface JsonSource {
  readonly code: ErrorCode;
  /** `the network configuration`. */
  readonly name: string;
  /** What the reader of the message can do, with its own separator: `; correct it in …`. May be empty. */
  readonly remedy: string;
}

/** Reads the members of one JSON object. A member that is `null` counts as absent, as it does for Go programs. */
export interface JsonReader {
  read<T>(key: string, shape: Shape<T>): T | undefined;
  /** As `read`, but `0` and `""` count as absent too: Go programs cannot tell them from it, and print them for it. */
  readUnlessZero<T>(key: string, shape: Shape<T>): T | undefined;
  /** Never absent: this one throws whatever is done with other refusals. */
  require<T>(key: string, shape: Shape<T>): T;
  /** The member that is an object; one without members if it is absent. */
  within(key: string): JsonReader;
  /** The items of a list; none if it is absent. */
  readList<T>(key: string, shape: Shape<T>): readonly T[];
  /** The items of a list of objects; none if it is absent. */
  list(key: string): readonly JsonReader[];
}

/** What becomes of the error for a member of the wrong shape. If it returns, the member counts as absent. */
export type Refuse = (error: CniError) => void;

/**
 * A reader of what came from outside.
 *
 * @param refuse throws by default
 */
export function openReader(raw: JsonObject, source: JsonSource, refuse: Refuse = throwRefusal): JsonReader {
  return openAt('', raw, source, refuse);
}

function openAt(prefix: string, raw: JsonObject, source: JsonSource, refuse: Refuse): JsonReader {
  const find = (key: string): JsonValue => (Object.hasOwn(raw, key) ? (raw[key] ?? null) : null);

  const check = <T>(key: string, value: JsonValue, shape: Shape<T>, refuseThis = refuse): T | undefined => {
    const parsed = shape.parse(value);
    if (parsed === undefined) refuseThis(wrongShape(`${prefix}${key}`, value, shape, source));
    return parsed;
  };

  const readItems = <T>(key: string, shape: Shape<T>): readonly { readonly parsed: T; readonly place: string }[] =>
    (reader.read(key, LIST) ?? []).flatMap((item, index) => {
      const place = `${key}[${index}]`;
      const parsed = check(place, item, shape);
      return parsed === undefined ? [] : [{ parsed, place }];
    });

  const reader: JsonReader = {
    read: (key, shape) => {
      const value = find(key);
      return value === null ? undefined : check(key, value, shape);
    },
    readUnlessZero: (key, shape) => {
      const value = find(key);
      return value === 0 || value === '' ? undefined : reader.read(key, shape);
    },
    require: (key, shape) => {
      const value = find(key);
      const parsed = value === null ? undefined : check(key, value, shape, throwRefusal);
      if (parsed === undefined) throw missing(`${prefix}${key}`, shape, source);
      return parsed;
    },
    within: (key) => openAt(`${prefix}${key}.`, reader.read(key, OBJECT) ?? {}, source, refuse),
    readList: (key, shape) => readItems(key, shape).map(({ parsed }) => parsed),
    list: (key) =>
      readItems(key, OBJECT).map(({ parsed, place }) => openAt(`${prefix}${place}.`, parsed, source, refuse)),
  };
  return reader;
}

/** The default: the first member of the wrong shape is the last that is read. */
export function throwRefusal(error: CniError): never {
  throw error;
}

function wrongShape<T>(
  key: string,
  value: JsonValue,
  { wanted, isHidden }: Shape<T>,
  { code, name, remedy }: JsonSource,
): CniError {
  const found = isHidden === true ? describeKind(value) : describe(value);
  return new CniError(code, `"${key}" in ${name} is ${found}, where ${wanted} is wanted${remedy}`);
}

function missing<T>(key: string, { wanted }: Shape<T>, { code, name, remedy }: JsonSource): CniError {
  return new CniError(code, `"${key}" is missing in ${name}, where ${wanted} is wanted${remedy}`);
}
