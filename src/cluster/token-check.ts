import { openApiClient, type ApiClientOptions } from './api-client.ts';
import type { Deadline } from './wire/deadline.ts';

/**
 * Whether the API server refuses the connection's credentials: the token is over, its Node or account was deleted, or the
 * key that signed it is no longer the server's.
 *
 * @throws {CniError} when the server cannot be asked
 */
export async function isTokenRefused(options: ApiClientOptions, deadline: Deadline): Promise<boolean> {
  using client = openApiClient(options);
  // Everybody may read this, so that the answer is about the token alone.
  const purpose = { verb: 'get', resource: '/version', object: 'its version' } as const;
  const { response } = await client.send({ purpose, path: '/version' }, deadline);
  return response.status === 401;
}
