import { CniError, ERROR_CODE } from '../cni/error.ts';

/** What JSON text can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Its keys come from outside: `__proto__` and `constructor` are possible, as own properties like any other. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

const SIZE_LIMIT = 16 * 1024 * 1024;

// JSON.stringify is recursive: what is passed on to a delegate must be shallow enough to be written again.
const DEPTH_LIMIT = 200;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * JSON text, or its bytes in UTF-8, as a value. Of duplicate keys the last one counts.
 *
 * @param what names the input in messages, which never quote it: it may hold a token
 * @throws {CniError} 6 for what is empty, not UTF-8, not JSON, larger than 16 MiB or nested deeper than 200
 */
export function parseJson(input: string | Uint8Array, what = 'the input'): JsonValue {
  if (input.length > SIZE_LIMIT) throw undecodable(`${what} is larger than ${SIZE_LIMIT} bytes, the most that is read`);
  const text = typeof input === 'string' ? input : decodeUtf8(input, what);
  if (text.trim() === '') throw undecodable(`${what} is empty, where JSON is wanted`);
  if (nestingDepth(text) > DEPTH_LIMIT)
    throw undecodable(`${what} is nested deeper than ${DEPTH_LIMIT} levels, the most that is read`);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw undecodable(`${what} is not valid JSON${positionIn(error)}`);
  }
}

/**
 * As `parseJson`, for what has to be an object.
 *
 * @throws {CniError} 6, also for JSON that is a list, a string, a number, `true`, `false` or `null`
 */
export function parseJsonObject(input: string | Uint8Array, what = 'the input'): JsonObject {
  const value = parseJson(input, what);
  if (!isJsonObject(value)) throw undecodable(`${what} is JSON, but not the object, {…}, that is wanted`);
  return value;
}

/** True for `{…}`, false for lists, `null` and everything else. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for `[…]`. Array.isArray makes `any[]` of it. */
export function isJsonList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The object without the members that are `undefined`, in the same order. */
export function omitAbsent(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}

/** The object without these members, in the same order. */
export function omitMembers(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw undecodable(`${what} is not UTF-8 text, where JSON is wanted`);
  }
}

function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (isInString) {
      if (unit === BACKSLASH) index++;
      else if (unit === QUOTE) isInString = false;
    } else if (unit === QUOTE) {
      isInString = true;
    } else if (unit === OPEN_LIST || unit === OPEN_OBJECT) {
      deepest = Math.max(deepest, ++depth);
    } else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) {
      depth--;
    }
  }
  return deepest;
}

// The rest of V8's message quotes the text around the position.
function positionIn(error: unknown): string {
  const position =
    error instanceof Error ? /at position [0-9]+(?: \(line [0-9]+ column [0-9]+\))?/.exec(error.message) : null;
  return position === null ? '' : `, ${position[0]}`;
}

function undecodable(message: string): CniError {
  return new CniError(ERROR_CODE.undecodable, message);
}
