// A server that ends the connection, or no longer answers, at every place of the handshake and of the response.
import { describe, expect, it } from 'vitest';
import { openApiClient, type ApiAnswer } from '../../../src/cluster/api-client.ts';
import { startDeadline } from '../../../src/cluster/wire/deadline.ts';
import { rejectionOf } from '../loopback-cluster.ts';
import { useForAllTests } from '../../support/suite/hooks.ts';
import { placesIn, startCutRelay, type Cut, type Ending, type Place } from './connections/cut-relay.ts';
import { connectionTo, startTlsServer, type TlsServer } from './connections/tls-server.ts';

const ENDINGS: readonly (readonly [Ending, RegExp])[] = [
  ['stall', /did not (finish the TLS handshake|respond) within 100 ms/],
  ['close', /closed the connection|reset the connection/],
  ['half-close', /closed the connection/],
  ['reset', /reset the connection|closed the connection/],
];

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  let server: TlsServer;
  let places: readonly Place[] = [];
  useForAllTests(async () => {
    server = await startTlsServer((_request, response) => response.end(BODY), {
      minVersion: version,
      maxVersion: version,
    });
    await using relay = await startCutRelay(server.port);
    await request(relay.port, 5000);
    places = ['accept', ...placesIn(relay.sent())];
    return server;
  });

  it.each(ENDINGS)('a server that makes the connection %s at any place', async (how, message) => {
    expect(places.length).toBeGreaterThan(30);
    const outcomes = places.map(async (where) => ({ where, message: await failureOf({ how, where }) }));
    for (const { where, message: seen } of await Promise.all(outcomes)) {
      expect({ where, seen }).toEqual({ where, seen: expect.stringMatching(message) });
    }
  });

  async function failureOf(cut: Cut): Promise<string> {
    await using relay = await startCutRelay(server.port, cut);
    const error = await rejectionOf(request(relay.port, cut.how === 'stall' ? 100 : 10_000));
    expect(error.code).toBe(11);
    return error.message;
  }
});

/** Some records long. */
const BODY = JSON.stringify({ filler: 'x'.repeat(40_000) });

async function request(port: number, budgetMs: number): Promise<ApiAnswer> {
  const budgets = { apiConnectMs: 10_000, apiRequestMs: budgetMs };
  using client = openApiClient({ connect: () => connectionTo(port), budgets, log: { debug: () => undefined } });
  const purpose = { verb: 'get', resource: 'pods', object: 'pod default/web' } as const;
  return await client.send({ purpose, path: '/api' }, startDeadline(60_000));
}
