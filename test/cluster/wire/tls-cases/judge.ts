import { createServer, type Server } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions } from 'node:tls';
import { CniError } from '../../../../src/cni/error.ts';
import { startConnection } from '../../../../src/cluster/wire/connect.ts';
import { openHttpExchange } from '../../../../src/cluster/wire/http-exchange.ts';
import type { TlsCase, Verdict } from './tls-case.ts';
import { connectionOf } from '../connections/test-connection.ts';
import { listenOnLoopback } from '../connections/listen-on-loopback.ts';

/** `reason` is the code of the failure. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** The server of a case, which answers each request with 200. */
export interface CaseServer extends AsyncDisposable {
  readonly port: number;
}

export async function startCaseServer({ server }: TlsCase): Promise<CaseServer> {
  // Otherwise OpenSSL would refuse to use a weak certificate.
  const { ciphers = 'DEFAULT' } = server;
  const listener = createServer({ ...server, ciphers: `${ciphers}:@SECLEVEL=0` }, (_request, response) =>
    response.end('{}'),
  );
  listener.on('tlsClientError', () => undefined);
  return { port: await listenOnLoopback(listener), [Symbol.asyncDispose]: () => close(listener) };
}

export async function judgeAsPodwire(tlsCase: TlsCase, port: number): Promise<Judgement> {
  return judge(async () => {
    const pending = startConnection(connectionOf(tlsCase, port), { connectMs: 5000, handshakeMs: 5000 });
    try {
      const exchange = openHttpExchange(await pending.ready);
      return (await exchange.send({ method: 'GET', path: '/', headers: { Host: 'api' } })).status;
    } finally {
      pending.abandon();
    }
  });
}

/** With the settings that podwire had for node:tls. */
export async function judgeAsNode({ authorities, serverName, client }: TlsCase, port: number): Promise<Judgement> {
  const name = serverName.replace(/\.$/, '');
  const options: ConnectionOptions = {
    host: '127.0.0.1',
    port,
    ca: authorities,
    ...(client && { cert: client.certificatePem, key: client.keyPem }),
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
    ecdhCurve: 'X25519:P-256:P-384:P-521',
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: (_host, certificate) =>
      checkServerIdentity(name, { ...certificate, subject: { ...certificate.subject, CN: '' } }),
    ...(isIP(name) === 0 ? { servername: name } : {}),
  };
  return judge(
    () =>
      new Promise<number>((resolve, reject) => {
        const socket = connect(options);
        socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: api\r\n\r\n'));
        socket.once('data', (bytes: Buffer) => {
          resolve(Number(/^HTTP\/1.1 (\d+)/.exec(bytes.toString())?.[1]));
          socket.destroy();
        });
        socket.on('error', reject).once('close', () => reject(new Error('closed')));
      }),
  );
}

async function judge(request: () => Promise<number>): Promise<Judgement> {
  try {
    const status = await request();
    return { verdict: status === 200 ? 'accepted' : 'rejected', reason: String(status) };
  } catch (error) {
    return { verdict: 'rejected', reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error instanceof CniError) return error.details === '' ? error.message : error.details;
  return 'code' in error ? String(error.code) : error.message;
}

async function close(listener: Server): Promise<void> {
  listener.closeAllConnections();
  await new Promise((resolve) => listener.close(resolve));
}
