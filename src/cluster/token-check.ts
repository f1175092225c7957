import { openApiClient, type ApiClientOptions } from './api-client.ts';
import type { Deadline } from './wire/deadline.ts';

/**
 * Checks whether the API server refuses the connection's credentials: the token has expired, its Node or account was
 * deleted, or the server no longer uses the key that signed it.
 *
 * @throws {CniError} if the server gives no complete response
 */
export async function isTokenRefused(options: ApiClientOptions, deadline: Deadline): Promise<boolean> {
  using client = openApiClient(options);
  // Everyone is permitted to read this, so that the response depends only on the token.
  const purpose = { verb: 'get', resource: '/version', object: 'its version' } as const;
  const { response } = await client.send({ purpose, path: '/version' }, deadline);
  return response.status === 401;
}
