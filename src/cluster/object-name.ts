import { CniError, ERROR_CODE } from '../cni/error.ts';

/**
 * A name as one part of a path. Names are checked where they come in; here they can at least not lead to another path.
 *
 * @throws {CniError} 4
 */
export function pathPart(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && name.isWellFormed()) return encodeURIComponent(name);
  throw new CniError(ERROR_CODE.invalidEnvironment, `${quoteName(name)} is no name of a Kubernetes object`);
}

/** For messages. Names are plain where they are valid; quotes would only be in the way. */
export function quoteName(text: string): string {
  return /^[a-z0-9][-.a-z0-9]{0,252}$/.test(text) ? text : JSON.stringify(text.slice(0, 300));
}
