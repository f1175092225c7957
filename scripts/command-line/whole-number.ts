import { UsageError } from './run-script.ts';

/**
 * Parses the value of an option as a whole number from 1 to `max`.
 *
 * @param option as a person types it: `--runs`
 * @throws {UsageError} for anything else
 */
export function parseWholeNumber(option: string, text: string, max: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? 'from 1' : `from 1 to ${max}`;
  throw new UsageError(`${option} expects a whole number ${range}, got ${JSON.stringify(text)}`);
}
