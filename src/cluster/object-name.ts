import { CniError, ERROR_CODE } from '../cni/error.ts';

/**
 * Formats a name as one part of a path. Parsers have checked it already; here it can at least not lead to another path.
 *
 * @throws {CniError} invalidEnvironment (4)
 */
export function pathPart(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && name.isWellFormed()) return encodeURIComponent(name);
  throw new CniError(ERROR_CODE.invalidEnvironment, `${quoteName(name)} is not the name of a Kubernetes object`);
}

/** Formats a name for messages: a valid one as it is, any other in quotation marks. */
export function quoteName(text: string): string {
  return /^[a-z0-9][-.a-z0-9]{0,252}$/.test(text) ? text : JSON.stringify(text.slice(0, 300));
}
