// What a server may send after the handshake besides responses.
import { expect, it, onTestFinished } from 'vitest';
import { startConnection } from '../../../src/cluster/wire/connect.ts';
import { openHttpExchange, type HttpExchange } from '../../../src/cluster/wire/http-exchange.ts';
import { startOpenSslServer } from './connections/openssl-server.ts';
import { connectionTo } from './connections/tls-server.ts';

it.each([
  ['TLSv1.2', 'nothing'],
  ['TLSv1.3', 'nothing'],
  ['TLSv1.3', 'update its key'],
  ['TLSv1.3', 'ask for another key'],
  ['TLSv1.3', 'send more session tickets'],
] as const)('%s: requests before and after the server does this are answered: %s', async (version, action) => {
  await using server = await startOpenSslServer(version, action);
  const exchange = await open(server.port);
  for (let count = 1; count <= 5; count++) expect(await get(exchange)).toBe('abcd');
  expect(server.outcomes).toEqual([1, 1, 1, 1, 1]);
});

it('a server cannot ask for a certificate after the handshake, because podwire does not offer that', async () => {
  await using server = await startOpenSslServer('TLSv1.3', 'ask for a certificate');
  const exchange = await open(server.port);
  expect(await get(exchange)).toBe('abcd');
  expect(await get(exchange)).toBe('abcd');
  expect(server.outcomes).toEqual([0, 0]);
});

it('a server that asks for a new handshake gets none, as from Go, and the next request is answered on a new connection', async () => {
  await using server = await startOpenSslServer('TLSv1.2', 'ask for a new handshake', { when: 'after' });
  const exchange = await open(server.port);
  expect(await get(exchange)).toBe('abcd');
  await expect(get(exchange)).rejects.toMatchObject({ kind: 'unanswered' });
});

async function open(port: number): Promise<HttpExchange> {
  const pending = startConnection(connectionTo(port), { connectMs: 5000, handshakeMs: 5000 });
  onTestFinished(() => pending.abandon());
  return openHttpExchange(await pending.ready);
}

async function get(exchange: HttpExchange): Promise<string> {
  const { body } = await exchange.send({ method: 'GET', path: '/', headers: { Host: 'api' } });
  return Buffer.from(body).toString();
}
