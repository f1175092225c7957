import { createServer, type RequestListener } from 'node:http';
import { openApiClient, type ApiClient } from '../../src/cluster/api-client.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import type { Deadline } from '../../src/cluster/wire/deadline.ts';
import { connectionSettings, soon } from './loopback-cluster.ts';
import { listenOnLoopback } from './wire/connections/listen-on-loopback.ts';

/** A server of HTTP on loopback, in place of an API server, and clients for it. */
export interface LoopbackClient extends AsyncDisposable {
  /** Opens a client, for as long as `use` takes. */
  ask<Answer>(use: (client: ApiClient, deadline: Deadline) => Promise<Answer>): Promise<Answer>;
}

/** @param answer answers each request */
export async function startLoopbackClient(answer: RequestListener): Promise<LoopbackClient> {
  const server = createServer(answer);
  const apiRoot = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  return {
    async ask(use) {
      const connection = await readConnection(connectionSettings({ apiRoot }), {});
      using client = openApiClient({
        connect: () => connection,
        budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
        log: { debug: () => undefined },
      });
      using deadline = soon();
      return await use(client, deadline);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
