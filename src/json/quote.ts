import { isJsonList, type JsonValue } from './json.ts';

const LONGEST = 64;

// JSON leaves these as they are: C1 controls, which terminals obey as they do ESC, line separators, and what reverses the line's direction.
const INVISIBLE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Text from outside as a part of a message: in quotation marks, control characters escaped, cut after 64 characters. */
export function quote(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return JSON.stringify(shown).replace(INVISIBLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A JSON value as a part of a message: `the string "1500"`, `the number 67`, `a list`. */
export function describe(value: JsonValue): string {
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? `${value}` : describeKind(value);
}

/** The value's kind alone, for what must not be shown. */
export function describeKind(value: JsonValue): string {
  if (value === null) return 'null';
  if (isJsonList(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
