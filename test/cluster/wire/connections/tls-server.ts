import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { ApiConnection } from '../../../../src/cluster/credentials/connection.ts';
import { parseServerUrl } from '../../../../src/cluster/wire/server-url.ts';
import { makeCertificate, type Certificate } from '../../../lab/certificates/certificate.ts';
import { alternativeNames, isAuthority } from '../../../lab/certificates/extensions.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** A server that its clients trust. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  /** How to connect to the server, or to what is in front of it on another port. */
  connection(port?: number): ApiConnection;
}

export const AUTHORITY = makeCertificate({ commonName: 'authority of the test', extensions: [isAuthority()] });

/** Its signatures always have the same length, and so has what the server sends in a handshake. */
export const CERTIFICATE: Certificate = makeCertificate(
  { commonName: 'server', key: 'Ed25519', extensions: [alternativeNames('127.0.0.1')] },
  AUTHORITY,
);

/** Starts an HTTPS server on 127.0.0.1. */
export async function startTlsServer(respond: RequestListener, options: ServerOptions = {}): Promise<TlsServer> {
  const identity = { cert: CERTIFICATE.certificatePem, key: CERTIFICATE.keyPem };
  const server = createServer({ ...identity, ...options }, respond);
  server.on('tlsClientError', () => undefined).on('secureConnection', (socket) => socket.on('error', () => undefined));
  const port = await listenOnLoopback(server);
  return {
    port,
    connection: (otherPort = port) => connectionTo(otherPort),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** How to connect to a server with {@link CERTIFICATE} on 127.0.0.1. */
export function connectionTo(port: number): ApiConnection {
  return {
    server: parseServerUrl(`https://127.0.0.1:${port}`),
    serverSource: 'the test',
    tls: {
      verification: 'full',
      certificateAuthority: { text: AUTHORITY.certificatePem, source: 'the test' },
      clientCertificate: undefined,
      serverName: undefined,
    },
    token: undefined,
  };
}
