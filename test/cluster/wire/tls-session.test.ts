// The verdicts of OpenSSL: tls-verdicts.test.ts. Connections that end: cut-connections.test.ts.
import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openOpenSsl } from '../../../src/cluster/wire/openssl.ts';
import { connectTcp } from '../../../src/cluster/wire/connect-tcp.ts';
import {
  openTlsContext,
  TlsError,
  TlsIdentityError,
  type TlsIdentities,
} from '../../../src/cluster/wire/tls-session.ts';
import type { TcpSocket } from '../../../src/system/tcp-socket.ts';
import { until } from '../../lab/until.ts';
import { startOpenSslServer } from './connections/openssl-server.ts';
import { AUTHORITY, CERTIFICATE, startTlsServer } from './connections/tls-server.ts';

const IDENTITIES: TlsIdentities = {
  verification: 'full',
  serverName: { kind: 'address', bytes: Uint8Array.of(127, 0, 0, 1) },
  authorities: [AUTHORITY.certificatePem],
  client: undefined,
};

describe('identities that OpenSSL does not accept', () => {
  const refuses = (why: string, overrides: Partial<TlsIdentities>, code: RegExp) =>
    it(why, () => {
      const open = () => openTlsContext({ ...IDENTITIES, ...overrides });
      expect(open).toThrow(TlsIdentityError);
      expect(open).toThrow(code);
      expect(leftError()).toBe(0);
    });
  const certificate = CERTIFICATE.certificatePem;
  const key = CERTIFICATE.keyPem;
  const encrypted = createPrivateKey(key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  refuses('no authority', { authorities: [''] }, /no certificate/);
  refuses('a client without certificate', { client: { certificate: key, key } }, /no certificate/);
  refuses('a client without key', { client: { certificate, key: certificate } }, /./);
  refuses('the key of another certificate', { client: { certificate: AUTHORITY.certificatePem, key } }, /./);
  refuses(
    'an encrypted key, without asking for its password',
    { client: { certificate, key: String(encrypted) } },
    /./,
  );
});

describe('a name with which OpenSSL would accept other servers', () => {
  const refuses = (why: string, text: string) =>
    it(`${why} is refused`, () =>
      expect(() => openTlsContext({ ...IDENTITIES, serverName: { kind: 'dns', text } })).toThrow(/not valid/));
  refuses('an empty name', '');
  refuses('a dot', '.');
  refuses('a name that begins with a dot', '.example');
  refuses('a name with a NUL', 'api.example\0.evil');
});

it('a session reads what the server sends, and its end', async () => {
  await using server = await startTlsServer((_request, response) => response.end('{}'));
  using socket = await connect(server.port);
  using context = openTlsContext(IDENTITIES);
  using session = context.openSession(socket.fd);
  await repeat(socket, () => session.shakeHands(), 'done');
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n');
  expect(session.write(request)).toBe(request.length);
  const buffer = Buffer.alloc(10_000);
  let response = '';
  await repeat(
    socket,
    () => {
      const length = session.read(buffer);
      if (typeof length === 'number') response += buffer.toString('latin1', 0, length);
      return length;
    },
    0,
  );
  expect(response).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

it('a read processes one record, so that a server that sends tickets without end cannot keep this thread busy', async () => {
  await using server = await startOpenSslServer('TLSv1.3', 'send more session tickets', { times: 100 });
  using socket = await connect(server.port);
  using context = openTlsContext(IDENTITIES);
  using session = context.openSession(socket.fd);
  await repeat(socket, () => session.shakeHands(), 'done');
  session.write(Buffer.from('GET / HTTP/1.1\r\nHost: api\r\n\r\n'));
  await until('the server has sent all of them', () => server.outcomes.length === 100);
  let reads = 0;
  const read = () => (++reads, typeof session.read(Buffer.alloc(1000)));
  await repeat(socket, () => (read() === 'number' ? 'response' : 'readable'), 'response');
  expect(reads).toBeGreaterThan(100);
});

it('a server that is not trusted is an error with the names in its certificate', async () => {
  await using server = await startTlsServer(() => undefined);
  using socket = await connect(server.port);
  using context = openTlsContext({ ...IDENTITIES, serverName: { kind: 'dns', text: 'api.example' } });
  using session = context.openSession(socket.fd);
  const failure: unknown = await repeat(socket, () => session.shakeHands(), 'done').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TlsError);
  expect(failure).toMatchObject({ code: 'HOSTNAME_MISMATCH', certificateNames: 'IP Address:127.0.0.1' });
  expect(leftError()).toBe(0);
});

it.each([
  ['a name is sent to the server', { kind: 'dns', text: 'api.example' }, 'api.example'],
  ['an address is not sent to the server, because it is not a name', IDENTITIES.serverName, false],
] as const)('%s', async (_, serverName, sent) => {
  const names: unknown[] = [];
  await using server = await startTlsServer((request, response) => {
    names.push(Reflect.get(request.socket, 'servername'));
    response.end();
  });
  using socket = await connect(server.port);
  using context = openTlsContext({ ...IDENTITIES, verification: 'off', serverName });
  using session = context.openSession(socket.fd);
  await repeat(socket, () => session.shakeHands(), 'done');
  session.write(Buffer.from('GET / HTTP/1.1\r\nHost: api\r\n\r\n'));
  await until('the server has the request', () => names.length > 0);
  expect(names).toEqual([sent]);
});

it('a server of which nothing is verified is accepted', async () => {
  await using server = await startTlsServer(() => undefined);
  using socket = await connect(server.port);
  using context = openTlsContext({ ...IDENTITIES, verification: 'off', authorities: [] });
  using session = context.openSession(socket.fd);
  await expect(repeat(socket, () => session.shakeHands(), 'done')).resolves.toBeUndefined();
});

/** The number of an error that OpenSSL keeps, which node:crypto would report as its own. */
function leftError(): number {
  return openOpenSsl().call('ERR_peek_error');
}

function connect(port: number): Promise<TcpSocket> {
  return connectTcp([{ bytes: Uint8Array.of(127, 0, 0, 1), port }], new AbortController().signal);
}

/** Calls the function, whenever the socket is ready for it, until it returns this. */
async function repeat(socket: TcpSocket, step: () => string | number, last: string | number): Promise<void> {
  for (let outcome = step(); outcome !== last; outcome = step()) {
    if (outcome === 'readable' || outcome === 'writable') await socket.wait([outcome]);
  }
}
