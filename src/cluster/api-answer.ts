import { openReader, type JsonReader } from '../json/json-reader.ts';
import { selectMembers, type Selection } from '../json/select-members.ts';
import type { ApiAnswer, ApiRequest } from './api-client.ts';
import { parseStatus, refusedRequestError, unexpectedResponseError } from './api-error.ts';
import { quoteName } from './object-name.ts';

/** True if the object does not exist. A 404 about anything else (a proxy, a wrong path in the URL) does not count. */
export function isAbsent({ response }: ApiAnswer, name: string): boolean {
  if (response.status !== 404) return false;
  const status = parseStatus(response);
  return status?.reason === 'NotFound' && status.objectName === name;
}

/**
 * The longest text that is parsed as a whole. It can have 5000 names of the same hash, whose parsing takes less than 0.1 s. Most Pods
 * are shorter, and parsing them as a whole is faster.
 */
const MAX_WHOLE = 32_768;

/**
 * Parses the object in a response with status 200, or 201 to a `create`.
 *
 * @param members what `parse` reads, if the owner of a pod chooses other parts of the object
 * @throws {CniError} tryAgainLater (11) for an unexpected response or a server that fails, apiRefused (100) for one
 *   that refuses
 */
export function parseAnswer<Value>(
  { response, connection }: ApiAnswer,
  { purpose }: ApiRequest,
  parse: (object: JsonReader) => Value,
  members?: Selection,
): Value {
  if (response.status !== (purpose.verb === 'create' ? 201 : 200)) {
    throw refusedRequestError(connection, purpose, response);
  }
  const error = (problem: string) => unexpectedResponseError(connection, purpose, problem);
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(response.body);
    value = JSON.parse(members !== undefined && text.length > MAX_WHOLE ? selectMembers(text, members) : text);
  } catch {
    // The message of the parser's error quotes the response.
    throw error(`it is not JSON (content type ${quoteName(response.headers.get('content-type') ?? '')})`);
  }
  return parse(openReader(value, { quotesValues: false, error }));
}
