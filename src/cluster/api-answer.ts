import type { ApiAnswer, ApiRequest } from './api-client.ts';
import { parseStatus, refusedAnswer, unexpectedResponse } from './api-error.ts';
import { ShapeError } from './fields.ts';
import { quoteName } from './object-name.ts';

/** The object does not exist. A 404 of something else (a proxy, a wrong path in the URL) says nothing about it. */
export function isAbsent({ response }: ApiAnswer, name: string): boolean {
  if (response.status !== 404) return false;
  const status = parseStatus(response);
  return status?.reason === 'NotFound' && status.objectName === name;
}

/**
 * What a 200 holds, or a 201 of a `create`.
 *
 * @param parse may throw a ShapeError
 * @throws {CniError} 11 for nonsense or a server that fails, 100 for one that refuses
 */
export function parseAnswer<Value>(
  { response, connection }: ApiAnswer,
  { purpose }: ApiRequest,
  parse: (value: unknown) => Value,
): Value {
  if (response.status !== (purpose.verb === 'create' ? 201 : 200)) throw refusedAnswer(connection, purpose, response);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(response.body));
  } catch {
    // The parser's words quote the answer.
    const type = quoteName(response.headers.get('content-type') ?? '');
    throw unexpectedResponse(connection, purpose, `it is no JSON (content type ${type})`);
  }
  try {
    return parse(value);
  } catch (cause) {
    if (cause instanceof ShapeError) throw unexpectedResponse(connection, purpose, cause.message);
    throw cause;
  }
}
