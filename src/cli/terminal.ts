import { styleText } from 'node:util';
import type { Environment } from '../cni/environment.ts';

/** How text is displayed. */
export interface Terminal {
  /** Adds a color, if there are colors. */
  readonly paint: (color: Color, text: string) => string;
  readonly symbols: Symbols;
  readonly columns: number;
  readonly isInteractive: boolean;
}

type Color = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

export interface Symbols {
  readonly failed: string;
  readonly warning: string;
  readonly ok: string;
  readonly skipped: string;
  readonly dot: string;
  readonly arrow: string;
  readonly canDraw: boolean;
}

const UNICODE: Symbols = { failed: '✗', warning: '!', ok: '✓', skipped: '-', dot: '·', arrow: '→', canDraw: true };
const ASCII: Symbols = { failed: 'x', warning: '!', ok: '+', skipped: '-', dot: '|', arrow: '->', canDraw: false };

/** No line of any output is longer, so that it can be read in any terminal and in mail. */
export const MAX_COLUMNS = 80;

/**
 * Decides how text is displayed: colors only on a terminal and without NO_COLOR; ASCII in the locales C and POSIX.
 *
 * @see https://no-color.org
 */
export function openTerminal(environment: Environment, isTerminal: boolean, columns: number | undefined): Terminal {
  const hasColors = isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  const { LC_ALL, LC_CTYPE, LANG } = environment;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => (value ?? '') !== '') ?? 'C.UTF-8';
  return {
    paint: (color, text) => (hasColors ? styleText(color, text, { validateStream: false }) : text),
    symbols: /^(C|POSIX)$/.test(locale) ? ASCII : UNICODE,
    columns: Math.min(MAX_COLUMNS, columns ?? MAX_COLUMNS),
    isInteractive: isTerminal,
  };
}
