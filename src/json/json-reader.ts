import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { describe, describeKind, quote } from './quote.ts';
import { LIST, OBJECT, type Shape } from './shapes.ts';

/** Where a value comes from, and how the errors about its members are made. */
export interface JsonSource {
  /** What holds the members, for messages: `the network configuration`. Leave it out if `error` adds it. */
  readonly name?: string;
  /** False: messages name the kind of a value and never quote it, because it could be a secret. */
  readonly quotesValues: boolean;
  /** Makes the error for a message such as `"mtu" in the network configuration: expected a list, got an object`. */
  readonly error: (message: string) => Error;
}

/** Reads the members of one object, of JSON or YAML. A member that is `null` counts as absent, as in Go programs. */
export interface JsonReader {
  /** True unless `readUnlessZero` treats the member as absent. */
  has(key: string): boolean;
  read<T>(key: string, shape: Shape<T>): T | undefined;
  /** Like `read`, but `0` and `""` count as absent too: Go programs print them for an absent member. */
  readUnlessZero<T>(key: string, shape: Shape<T>): T | undefined;
  /** Never absent: throws, even if other errors only reach a callback. */
  require<T>(key: string, shape: Shape<T>): T;
  /** Reads a member that is an object. If it is absent, so are all of its members. */
  readObject(key: string): JsonReader;
  /** Like `readObject`, but throws if the member is absent. */
  requireObject(key: string): JsonReader;
  /** Reads the items of a list. An absent list is empty. */
  readList<T>(key: string, shape: Shape<T>): readonly T[];
  /** Reads the items of a list of objects. An absent list is empty. */
  readObjects(key: string): readonly JsonReader[];
  /** Reads an object whose keys are arbitrary. An absent one is empty. */
  readMap<T>(key: string, shape: Shape<T>): Readonly<Record<string, T>>;
  /** Makes an error of the source, for a problem that is not the shape of one member. */
  error(message: string): Error;
}

/** Receives the error for a member of the wrong shape. If it returns, the member counts as absent. */
export type OnError = (error: Error) => void;

/**
 * Opens a reader for a value that came from outside.
 *
 * @param onError throws the error by default
 * @throws {Error} the source's, if the value is not an object
 */
export function openReader(value: unknown, source: JsonSource, onError: OnError = throwError): JsonReader {
  if (isJsonObject(value)) return openAt('', value, source, onError);
  const prefix = source.name === undefined ? '' : `${source.name}: `;
  throw source.error(`${prefix}expected ${OBJECT.expected}, got ${describeKind(value)}`);
}

/** The default reaction to an error: no member after the first one of the wrong shape is read. */
export function throwError(error: Error): never {
  throw error;
}

function openAt(prefix: string, raw: JsonObject, source: JsonSource, onError: OnError): JsonReader {
  const find = (key: string): JsonValue => (Object.hasOwn(raw, key) ? (raw[key] ?? null) : null);

  const check = <T>(key: string, value: JsonValue, shape: Shape<T>, onShapeError = onError): T | undefined => {
    const parsed = shape.parse(value);
    if (parsed === undefined) onShapeError(wrongShapeError(`${prefix}${key}`, value, shape, source));
    return parsed;
  };

  const readItems = <T>(key: string, shape: Shape<T>): readonly { readonly parsed: T; readonly path: string }[] =>
    (reader.read(key, LIST) ?? []).flatMap((item, index) => {
      const path = `${key}[${index}]`;
      const parsed = check(path, item, shape);
      return parsed === undefined ? [] : [{ parsed, path }];
    });

  const openObject = (key: string, object: JsonObject): JsonReader =>
    openAt(`${prefix}${key}.`, object, source, onError);

  const reader: JsonReader = {
    has: (key) => !isAbsentOrZero(find(key)),
    read: (key, shape) => {
      const value = find(key);
      return value === null ? undefined : check(key, value, shape);
    },
    readUnlessZero: (key, shape) => {
      const value = find(key);
      return isAbsentOrZero(value) ? undefined : check(key, value, shape);
    },
    require: (key, shape) => {
      const value = find(key);
      const parsed = value === null ? undefined : check(key, value, shape, throwError);
      if (parsed === undefined) throw missingError(`${prefix}${key}`, shape, source);
      return parsed;
    },
    readObject: (key) => openObject(key, reader.read(key, OBJECT) ?? {}),
    requireObject: (key) => openObject(key, reader.require(key, OBJECT)),
    readList: (key, shape) => readItems(key, shape).map(({ parsed }) => parsed),
    readObjects: (key) => readItems(key, OBJECT).map(({ parsed, path }) => openObject(path, parsed)),
    readMap: (key, shape) =>
      Object.fromEntries(
        Object.entries(reader.read(key, OBJECT) ?? {}).flatMap(([name, value]) => {
          const parsed = check(`${key}[${quote(name)}]`, value, shape);
          return parsed === undefined ? [] : [[name, parsed] as const];
        }),
      ),
    error: source.error,
  };
  return reader;
}

function isAbsentOrZero(value: JsonValue): boolean {
  return value === null || value === 0 || value === '';
}

function wrongShapeError<T>(path: string, value: JsonValue, shape: Shape<T>, source: JsonSource): Error {
  const member = source.name === undefined ? path : `"${path}" in ${source.name}`;
  const isQuoted = source.quotesValues && shape.isHidden !== true;
  const found = isQuoted ? describe(value) : describeKind(value);
  return source.error(`${member}: expected ${shape.expected}, got ${found}`);
}

function missingError<T>(path: string, { expected }: Shape<T>, source: JsonSource): Error {
  const member = source.name === undefined ? `${path} is missing` : `"${path}" is missing in ${source.name}`;
  return source.error(`${member}: expected ${expected}`);
}
