import type { Socket } from 'node:net';
import { getBuiltinModule } from 'node:process';
import type { ConnectionOptions, PeerCertificate, SecureContext } from 'node:tls';
import { CniError, ERROR_CODE } from '../../cni/error.ts';
import type { ApiConnection, TlsSettings } from '../credentials/connection.ts';
import { startBudget } from './deadline.ts';
import { describeNameServers, makeLookup, RESOLVE_MS } from './resolve-name.ts';

/** The error for a connection that was not established. `message` continues a sentence about the server. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

export interface ConnectBudgets {
  /** The time until TCP is connected. Resolving a name has its own, {@link RESOLVE_MS} or as much as this if that is more. */
  readonly connectMs: number;
  /** The time from then until the TLS handshake is complete and the server is verified. */
  readonly handshakeMs: number;
}

/** A socket that is connecting. */
export interface PendingSocket {
  /**
   * Resolves when the socket is connected and the server is verified. Rejects with a ConnectError, or an Error of
   * node:tls.
   */
  readonly ready: Promise<Socket>;
  abandon(): void;
}

/**
 * Starts to connect. No request is sent before the server's certificate is verified. Environment variables have no
 * effect: `ca` and `rejectUnauthorized` are always set, and there is no proxy.
 *
 * @throws {CniError} invalidConfig (7) if TLS rejects the certificates or the key
 */
export function connectSocket(
  { server, tls }: ApiConnection,
  { connectMs, handshakeMs }: ConnectBudgets,
): PendingSocket {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const target = { ...targetOf(server), noDelay: true };
  const socket = tls === undefined ? loadNet().connect(target) : connectTls(target, tls);
  const fail = (error: unknown) => {
    budget[Symbol.dispose]();
    socket.destroy();
    reject(error);
  };
  const succeed = () => {
    budget[Symbol.dispose]();
    // The listener of 'error' stays, because there is no other one until the exchange is opened.
    socket.off('close', closed);
    resolve(socket);
  };
  const closed = () => fail(new ConnectError('closed the connection before it was ready'));
  const startConnectBudget = () =>
    startBudget(connectMs, () => fail(new ConnectError(`did not accept the connection within ${connectMs} ms`)));
  let budget = 'lookup' in target ? startResolveBudget(server.host, connectMs, fail) : startConnectBudget();
  // If the lookup has failed, 'error' follows.
  socket.once('lookup', () => {
    budget[Symbol.dispose]();
    budget = startConnectBudget();
  });
  socket.once('connect', () => {
    budget[Symbol.dispose]();
    if (tls === undefined) {
      succeed();
      return;
    }
    budget = startBudget(handshakeMs, () =>
      fail(new ConnectError(`did not finish the TLS handshake within ${handshakeMs} ms`)),
    );
  });
  socket.once('secureConnect', succeed);
  socket.on('error', fail).on('close', closed);
  return { ready: promise, abandon: () => fail(new ConnectError('is no longer needed')) };
}

/** Checks whether the server accepts a TCP connection in time. Closes the connection immediately. */
export function takesConnections({ host, port }: ApiConnection['server'], connectMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const target = targetOf({ host, port });
    const socket = loadNet().connect(target);
    const resolveMs = 'lookup' in target ? resolveBudgetMs(connectMs) : 0;
    const budget = startBudget(resolveMs + connectMs, () => socket.destroy());
    let isConnected = false;
    socket.once('connect', () => {
      isConnected = true;
      socket.destroy();
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.once('close', () => {
      budget[Symbol.dispose]();
      resolve(isConnected);
    });
  });
}

/** The socket's options. An address needs no lookup. */
function targetOf({ host, port }: Pick<ApiConnection['server'], 'host' | 'port'>) {
  return loadNet().isIP(host) === 0 ? { host, port, lookup: makeLookup() } : { host, port };
}

function startResolveBudget(name: string, connectMs: number, fail: (error: Error) => void): Disposable {
  const resolveMs = resolveBudgetMs(connectMs);
  return startBudget(resolveMs, () =>
    fail(
      new ConnectError(
        `cannot be reached: its name ${JSON.stringify(name)} could not be resolved within ${resolveMs} ms ` +
          `(name servers: ${describeNameServers()}): check /etc/resolv.conf, or name the server by its address`,
      ),
    ),
  );
}

function resolveBudgetMs(connectMs: number): number {
  return Math.max(RESOLVE_MS, connectMs);
}

function connectTls(target: { host: string; port: number; noDelay: boolean }, settings: TlsSettings): Socket {
  const tls = loadTls();
  const verifiedName = settings.serverName ?? target.host;
  const options: ConnectionOptions & { noDelay: boolean } = {
    ...target,
    secureContext: createContext(settings),
    rejectUnauthorized: settings.verification === 'full',
    checkServerIdentity: (_host, certificate) => checkName(verifiedName, certificate),
    ALPNProtocols: ['http/1.1'],
    // An address is not a server name (RFC 6066 section 3).
    ...(loadNet().isIP(verifiedName) === 0 ? { servername: verifiedName.replace(/\.$/, '') } : {}),
  };
  return tls.connect(options);
}

/**
 * As in Go, only subject alternative names count: Node would accept a common name, if the certificate has no DNS name among
 * them. A trailing dot is not a part of the name.
 */
function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  const tls = loadTls();
  const withoutCommonName = { ...certificate, subject: { ...certificate.subject, CN: '' } };
  return tls.checkServerIdentity(name.replace(/\.$/, ''), withoutCommonName);
}

function createContext({ certificateAuthority, clientCertificate }: TlsSettings): SecureContext {
  const tls = loadTls();
  try {
    return tls.createSecureContext({
      ca: certificateAuthority?.text ?? [...tls.rootCertificates],
      ...(clientCertificate && { cert: clientCertificate.certificate.text, key: clientCertificate.key.reveal() }),
      // As in Go, every certificate of the authority is a root, also an intermediate one or the server's own.
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
      // One small key share first: the hybrid with ML-KEM costs a millisecond, and protects a token for longer than
      // it is valid.
      ecdhCurve: 'X25519:P-256:P-384:P-521',
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const files = [certificateAuthority?.source, clientCertificate?.certificate.source, clientCertificate?.key.source];
    const names = files.filter((name) => name !== undefined).join(', ');
    const message =
      `TLS rejected the certificate or key (${code}): ` +
      `check that these files contain complete PEM blocks that belong together: ${names}`;
    throw new CniError(ERROR_CODE.invalidConfig, message, { details: code });
  }
}

// Both are loaded on first use, so that a command without the API does not pay for them, and synchronously, so that the
// connection has been started when `connectSocket` returns.
function loadTls() {
  return getBuiltinModule('node:tls');
}

function loadNet() {
  return getBuiltinModule('node:net');
}
