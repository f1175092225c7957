import { isJsonList, type JsonValue } from './json.ts';

const MAX_CHARACTERS = 64;

// JSON does not escape these: C1 controls, which terminals interpret like ESC, line separators, and characters that
// reverse the direction of the line.
const INVISIBLE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Formats text from outside for a message: in quotation marks, control characters escaped, cut after 64 characters. */
export function quote(text: string): string {
  const shown = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return JSON.stringify(shown).replace(INVISIBLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Describes a JSON value for a message: `the string "1500"`, `the number 67`, `a list`. */
export function describe(value: JsonValue): string {
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? `${value}` : describeKind(value);
}

/** Describes only the kind of a value, which itself must not be shown: `a string`, `an empty string`, `an object`. */
export function describeKind(value: unknown): string {
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (isJsonList(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
