// Every folder may import this file, which imports nothing.

/** The name of the errno that an error of Node carries (`ENOENT`), or `undefined` if it carries none. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True if a file could not be opened because this process, or the system, has too many open. It says nothing about the file. */
export function isTooManyOpenFiles(error: unknown): boolean {
  const name = errnoOf(error);
  return name === 'EMFILE' || name === 'ENFILE';
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stack of whatever was thrown, for reports of bugs; its message if it has no stack. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** True if a text has every word of another, so that a line with both would say the same thing twice. */
export function says(whole: string, text: string): boolean {
  return text.split(/[\s"'(),;]+/).every((word) => whole.includes(word));
}

/** The same for the text of a cause, which mostly is another sentence about the same errno, at its end: `… (ECONNREFUSED)`. */
export function saysCause(whole: string, cause: string): boolean {
  const [, errnoName] = /\b(E[A-Z\d]{3,})\)?$/.exec(cause) ?? [];
  return says(whole, errnoName ?? cause);
}
