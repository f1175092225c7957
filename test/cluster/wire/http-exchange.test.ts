import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startConnection } from '../../../src/cluster/wire/connect.ts';
import { formatRequest, openHttpExchange, type HttpExchange } from '../../../src/cluster/wire/http-exchange.ts';
import { parseServerUrl } from '../../../src/cluster/wire/server-url.ts';
import { until } from '../../lab/until.ts';

describe('requests', () => {
  const refuses = (why: string, path: string, value: string) =>
    it(`${why} is refused, without naming it`, () => {
      expect(() => formatRequest({ method: 'GET', path, headers: { A: value } })).toThrow(/^a request (path|header)/);
    });
  refuses('a line break in the path', '/a\r\nX: y', 'v');
  refuses('a space in the path', '/a b', 'v');
  refuses('a relative path', 'a', 'v');
  refuses('a line break in a value', '/', 'a\r\nX: y');
  refuses('an empty value', '/', '');

  it('a body has its length in bytes', () => {
    const text = Buffer.from(
      formatRequest({ method: 'PATCH', path: '/a', headers: { Host: 'h' }, body: Buffer.from('ü') }),
    ).toString();
    expect(text).toBe('PATCH /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nü');
  });
});

describe('an exchange', () => {
  it('a response without a request ends it', async () => {
    const exchange = await openExchange((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    await until('the exchange has ended', () => !exchange.isOpen());
    await expect(exchange.send({ method: 'GET', path: '/', headers: {} })).rejects.toThrow('without a request');
  });
  it('a connection that the server has reset rejects new requests', async () => {
    const exchange = await openExchange((socket) => socket.resetAndDestroy());
    await until('the exchange has ended', () => !exchange.isOpen());
    await expect(exchange.send({ method: 'GET', path: '/', headers: {} })).rejects.toMatchObject({ kind: 'closed' });
  });
});

/** An exchange with a server that does this with each connection. */
async function openExchange(serve: (socket: Socket) => void): Promise<HttpExchange> {
  const server = createServer((socket) => serve(socket.on('error', () => undefined)));
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const settings = { server: parseServerUrl(`http://127.0.0.1:${port}`), serverSource: 'the test' };
  const { ready } = startConnection(
    { ...settings, tls: undefined, token: undefined },
    { connectMs: 5000, handshakeMs: 5000 },
  );
  return openHttpExchange(await ready);
}
