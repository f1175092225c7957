import { says, saysCause } from '../system/error-text.ts';

/** What a line is about: `{ container: '0a1b…', pod: 'default/web' }`. Undefined values are left out. */
export type LogContext = Readonly<Record<string, string | undefined>>;

/** How a command has ended. */
export interface Outcome {
  /** 0, or the code of its error. */
  readonly code: number;
  readonly details?: string | undefined;
  /** The number of the finding, `PW201`. */
  readonly finding?: string | undefined;
  /** The message of what caused the error. */
  readonly cause?: string | undefined;
}

/** Formats one line of a log, with its line break. */
export type FormatLine = (time: Date, level: string, message: string, context: LogContext, outcome?: Outcome) => string;

/**
 * Formats `2026-11-22T05:45:59.123Z WARNING message container=0a1b pod=default/web` and a line break.
 *
 * One message is one line, whatever the owner of a pod has put into a name or an annotation. Text that looks like a
 * bearer token is masked: no caller passes a token on purpose, and this protects against a mistake.
 */
export const formatLine: FormatLine = (time, level, text, context, outcome) => {
  const message = outcome === undefined ? text : `${text}${describeOutcome(text, outcome)}`;
  const fields = Object.entries(context).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}=${value}`]));
  const whole = `${message}${fields.join('')}`;
  const kept =
    whole.length > MAX_CHARACTERS
      ? `${message.slice(0, MAX_CHARACTERS)}… (cut)${fields.join('').slice(0, MAX_CHARACTERS)}`
      : whole;
  return `${time.toISOString()} ${level.toUpperCase()} ${escapeControls(maskTokens(kept))}\n`;
};

/** ` (details) [PW201, code 11]; cause: …`, without what the message says already. */
function describeOutcome(message: string, { code, details = '', finding, cause = '' }: Outcome): string {
  const added = says(message, details) ? '' : ` (${details})`;
  const number = finding === undefined ? '' : `${finding}, `;
  return `${added} [${number}code ${code}]${saysCause(`${message} ${details}`, cause) ? '' : `; cause: ${cause}`}`;
}

/** Escapes the characters that control a terminal, end a line, or change the order in which text is displayed. */
export function escapeControls(text: string): string {
  // C0 and C1 controls, marks and overrides of direction, line and paragraph separators, the byte order mark, lone
  // surrogates. Created here and not when the module is loaded: it takes V8 0.2 ms, and most commands log nothing.
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
  return text.replaceAll(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Masks what looks like a bearer token. */
export function maskTokens(text: string): string {
  return text.replaceAll(JWT, '(token)').replaceAll(BEARER, '$1 (token)');
}

const JWT = /\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g;
const BEARER = /\b(bearer) +[\w.~+/=-]{8,}/gi;

/** Of one message. */
export const MAX_CHARACTERS = 8192;
