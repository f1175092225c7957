import { ERROR_CODE, type CniError } from './error.ts';
import { omitAbsent, type JsonObject } from '../json/json.ts';
import { says } from '../system/error-text.ts';

/**
 * Formats an error as a runtime reads it from stdout. `details` that say nothing new are left out, because the
 * runtime prints both in one line. The number of the finding is part of
 * the message, because `kubectl describe pod` shows nothing else.
 *
 * @param cniVersion the version of the request
 * @see SPEC.md 1.1.0, section 5, Error
 */
export function formatError({ code, message, details, finding }: CniError, cniVersion: string): JsonObject {
  return omitAbsent({
    cniVersion,
    // libcni reads it as an unsigned integer, and discards the whole error if it is not one.
    code: Number.isSafeInteger(code) && code > 0 ? code : ERROR_CODE.internal,
    msg: finding === undefined ? message : `${message} [${finding}]`,
    details: says(message, details) ? undefined : details,
  });
}
