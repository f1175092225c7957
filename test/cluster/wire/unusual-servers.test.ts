// Servers that are slow, send much, or do not speak TLS; all but the last ones are correct.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failedRequestError } from '../../../src/cluster/api-error.ts';
import { startConnection } from '../../../src/cluster/wire/connect.ts';
import { openHttpExchange, type HttpExchange, type HttpRequest } from '../../../src/cluster/wire/http-exchange.ts';
import { startByteRelay } from './connections/byte-relay.ts';
import { connectionTo, startTlsServer } from './connections/tls-server.ts';
import { listenOnLoopback } from './connections/listen-on-loopback.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const MIB = 1024 * 1024;
const GET = { method: 'GET', path: '/', headers: { Host: 'api' } } as const satisfies HttpRequest;

describe.each(VERSIONS)('%s', (version) => {
  const onlyThis = { minVersion: version, maxVersion: version };

  it('every byte may come in a separate packet, in both directions', async () => {
    await using server = await startTlsServer((request, response) => response.end(request.url), onlyThis);
    await using relay = await startByteRelay(server.port);
    const exchange = await open(relay.port);
    const answers = await Promise.all(['/a', '/b'].map((path) => exchange.send({ ...GET, path })));
    expect(answers.map(({ body }) => Buffer.from(body).toString())).toEqual(['/a', '/b']);
  });

  it('every byte may come in a separate record', async () => {
    await using server = await startTlsServer((request, response) => {
      for (const byte of 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd') request.socket.write(byte);
      response.socket?.uncork();
    }, onlyThis);
    const { body } = await (await open(server.port)).send(GET);
    expect(Buffer.from(body).toString()).toBe('abcd');
  });

  it('two requests that are sent together are answered in their order', async () => {
    await using server = await startTlsServer((request, response) => response.end(request.url), onlyThis);
    const exchange = await open(server.port);
    const answers = await Promise.all(['/a', '/b', '/c'].map((path) => exchange.send({ ...GET, path })));
    expect(answers.map(({ body }) => Buffer.from(body).toString())).toEqual(['/a', '/b', '/c']);
  });

  it('a response of 16 MiB is read, and a larger one is refused', async () => {
    const sized = (size: number) => Buffer.alloc(size, 'x');
    await using server = await startTlsServer((request, response) => {
      response.setHeader('Content-Length', Number(request.url?.slice(1)));
      response.end(sized(Number(request.url?.slice(1))));
    }, onlyThis);
    const exchange = await open(server.port);
    const { body } = await exchange.send({ ...GET, path: `/${16 * MIB}` });
    expect(hashOf(body)).toBe(hashOf(sized(16 * MIB)));
    await expect(exchange.send({ ...GET, path: `/${16 * MIB + 1}` })).rejects.toMatchObject({ kind: 'malformed' });
  });

  it('a request that is larger than what the kernel takes at once arrives complete', async () => {
    // The server runs on this thread, so that nothing is read while the client writes.
    const sent = Buffer.from(Array.from({ length: 20 * MIB }, (_, index) => index % 251));
    await using server = await startTlsServer((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (bytes: Buffer) => hash.update(bytes)).on('end', () => response.end(hash.digest('hex')));
    }, onlyThis);
    const exchange = await open(server.port);
    const { body } = await exchange.send({ ...GET, method: 'PATCH', body: sent });
    expect(Buffer.from(body).toString()).toBe(hashOf(sent));
  });
});

describe('a server that does not speak TLS', () => {
  const answers = (why: string, bytes: string | Buffer, message: RegExp) =>
    it(why, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end(bytes));
      });
      onTestFinished(() => void server.close());
      const connection = connectionTo(await listenOnLoopback(server));
      const pending = startConnection(connection, { connectMs: 5000, handshakeMs: 5000 });
      const failure: unknown = await pending.ready.then(
        () => 'connected',
        (error: unknown) => error,
      );
      const purpose = { verb: 'get', resource: 'pods', object: 'pod default/web' } as const;
      expect(failedRequestError(connection, purpose, failure).message).toMatch(message);
    });
  answers(
    'but HTTP',
    'HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    /does not speak TLS/,
  );
  answers('but SSH', 'SSH-2.0-OpenSSH_9.2\r\n', /does not speak TLS/);
  answers('but sends zeros', Buffer.alloc(100), /does not speak TLS/);
  answers('but sends ones', Buffer.alloc(100, 0xff), /does not speak TLS/);
  answers('but closes the connection', '', /closed the connection before it was ready/);
  answers('but sends a record that is too long', Buffer.from('160303ffff', 'hex'), /does not speak TLS/);
  answers('but sends an alert', Buffer.from('15030300020228', 'hex'), /does not speak TLS/);
  answers(
    'but sends its own greeting of a client',
    Buffer.from('160303000401000000', 'hex'),
    /ERR_SSL_UNEXPECTED_MESSAGE/,
  );
});

async function open(port: number): Promise<HttpExchange> {
  const pending = startConnection(connectionTo(port), { connectMs: 5000, handshakeMs: 5000 });
  const exchange = openHttpExchange(await pending.ready);
  return exchange;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
