// The verdicts of OpenSSL: tls-verdicts.test.ts. Connections that end: cut-connections.test.ts.
import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connectTcp } from '../../../src/cluster/wire/connect-tcp.ts';
import {
  openTlsContext,
  TlsError,
  TlsIdentityError,
  type TlsIdentities,
} from '../../../src/cluster/wire/tls-session.ts';
import type { TcpSocket } from '../../../src/system/tcp-socket.ts';
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

it('a server that is not trusted is an error with the names in its certificate', async () => {
  await using server = await startTlsServer(() => undefined);
  using socket = await connect(server.port);
  using context = openTlsContext({ ...IDENTITIES, serverName: { kind: 'dns', text: 'api.example' } });
  using session = context.openSession(socket.fd);
  const failure: unknown = await repeat(socket, () => session.shakeHands(), 'done').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TlsError);
  expect(failure).toMatchObject({ code: 'HOSTNAME_MISMATCH', certificateNames: 'IP Address:127.0.0.1' });
});

it('a server of which nothing is verified is accepted', async () => {
  await using server = await startTlsServer(() => undefined);
  using socket = await connect(server.port);
  using context = openTlsContext({ ...IDENTITIES, verification: 'off', authorities: [] });
  using session = context.openSession(socket.fd);
  await expect(repeat(socket, () => session.shakeHands(), 'done')).resolves.toBeUndefined();
});

function connect(port: number): Promise<TcpSocket> {
  return connectTcp([{ bytes: Uint8Array.of(127, 0, 0, 1), port }], new AbortController().signal);
}

/** Calls the function, whenever the socket is ready for it, until it returns this. */
async function repeat(socket: TcpSocket, step: () => string | number, last: string | number): Promise<void> {
  for (let outcome = step(); outcome !== last; outcome = step()) {
    if (outcome === 'readable' || outcome === 'writable') await socket.wait([outcome]);
  }
}
