import { once } from 'node:events';
import type { Server } from 'node:net';

/** Makes the server listen on a free port of a loopback address, and returns the port. */
export async function listenOnLoopback(server: Server, host = '127.0.0.1'): Promise<number> {
  await once(server.listen(0, host), 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
