import { CniError, ERROR_CODE } from '../cni/error.ts';

/** A value of JSON text. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Its keys come from outside and may be `__proto__` or `constructor`, which are then own properties. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

const MAX_BYTES = 16 * 1024 * 1024;

// JSON.stringify is recursive: the configuration that a delegate receives must be shallow enough to be written again.
const MAX_DEPTH = 200;

const CODE = {
  quote: 0x22,
  backslash: 0x5c,
  openList: 0x5b,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/**
 * Parses JSON text, or its bytes in UTF-8. The last one of duplicate keys counts.
 *
 * @param what names the input in messages, which never quote it: it may contain a token
 * @throws {CniError} undecodable (6) if it is empty, not UTF-8, not JSON, larger than 16 MiB or nested deeper than 200
 */
export function parseJson(input: string | Uint8Array, what = 'the input'): JsonValue {
  if (input.length > MAX_BYTES) throw undecodableError(`${what} is larger than ${MAX_BYTES} bytes, which is the limit`);
  const text = typeof input === 'string' ? input : decodeUtf8(input, what);
  if (text.trim() === '') throw undecodableError(`${what} is empty: expected JSON`);
  if (nestingDepth(text) > MAX_DEPTH) {
    throw undecodableError(`${what} is nested deeper than ${MAX_DEPTH} levels, which is the limit`);
  }
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw undecodableError(`${what} is not valid JSON${positionIn(error)}`);
  }
}

/**
 * Parses JSON text as `parseJson` does, and requires an object.
 *
 * @throws {CniError} undecodable (6), also for JSON that is a list, a string, a number, `true`, `false` or `null`
 */
export function parseJsonObject(input: string | Uint8Array, what = 'the input'): JsonObject {
  const value = parseJson(input, what);
  if (isJsonObject(value)) return value;
  throw undecodableError(`${what} is JSON, but not an object: expected {…}`);
}

/** Parses JSON text as {@link parseJsonObject} does; `undefined` if it is not an object, or not JSON. */
export function tryParseJsonObject(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for `{…}`, false for lists, `null` and everything else. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for `[…]`. Array.isArray would narrow it to `any[]`. */
export function isJsonList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Copies the members that are not `undefined`, in the same order. */
export function omitAbsent(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}

/** Copies all members but these, in the same order. */
export function omitMembers(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw undecodableError(`${what} is not UTF-8 text: expected JSON`);
  }
}

function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (isInString) {
      if (unit === CODE.backslash) index++;
      else if (unit === CODE.quote) isInString = false;
    } else if (unit === CODE.quote) {
      isInString = true;
    } else if (unit === CODE.openList || unit === CODE.openObject) {
      deepest = Math.max(deepest, ++depth);
    } else if (unit === CODE.closeList || unit === CODE.closeObject) {
      depth--;
    }
  }
  return deepest;
}

// The rest of V8's message quotes the text around the position, which may be a secret.
function positionIn(error: unknown): string {
  const position =
    error instanceof Error ? /at position [0-9]+(?: \(line [0-9]+ column [0-9]+\))?/.exec(error.message) : null;
  return position === null ? '' : `, ${position[0]}`;
}

function undecodableError(message: string): CniError {
  return new CniError(ERROR_CODE.undecodable, message);
}
