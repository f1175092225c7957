import { openReader, type JsonReader } from '../json/json-reader.ts';
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
 * Parses the object in a response with status 200, or 201 to a `create`.
 *
 * @throws {CniError} tryAgainLater (11) for an unexpected response or a server that fails, apiRefused (100) for one
 *   that refuses
 */
export function parseAnswer<Value>(
  { response, connection }: ApiAnswer,
  { purpose }: ApiRequest,
  parse: (object: JsonReader) => Value,
): Value {
  if (response.status !== (purpose.verb === 'create' ? 201 : 200)) {
    throw refusedRequestError(connection, purpose, response);
  }
  const error = (problem: string) => unexpectedResponseError(connection, purpose, problem);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(response.body));
  } catch {
    // The message of the parser's error quotes the response.
    throw error(`it is not JSON (content type ${quoteName(response.headers.get('content-type') ?? '')})`);
  }
  return parse(openReader(value, { quotesValues: false, error }));
}
