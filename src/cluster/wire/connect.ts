import { CniError, ERROR_CODE } from '../../cni/error.ts';
import { loadBuiltin } from '../../system/node-process.ts';
import type { TcpAddress, TcpSocket } from '../../system/tcp-socket.ts';
import type { ApiConnection, TlsSettings } from '../credentials/connection.ts';
import { openChannel, type Channel } from './channel.ts';
import { addressBytes, connectTcp, untilSocketReady } from './connect-tcp.ts';
import { untilAborted } from '../../system/until-aborted.ts';
import { startBudget } from './deadline.ts';
import { describeNameServers, resolveName, RESOLVE_MS } from './resolve-name.ts';
import type { ServerUrl } from './server-url.ts';
import { openTlsContext, TlsIdentityError, type ServerName, type TlsContext, type TlsSession } from './tls-session.ts';

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

/** A connection that is being established. */
export interface PendingChannel {
  /**
   * Resolves when the connection is established and the server is verified. Rejects with a ConnectError, a KernelError or a TlsError; with
   * the error of node:dns; or with a CniError: invalidConfig (7) if OpenSSL rejects the certificates or the key.
   */
  readonly ready: Promise<Channel>;
  abandon(): void;
}

/**
 * Starts to connect. No request is sent before the server's certificate is verified. Environment variables have no
 * effect: the parameter alone says how the server is verified, and there is no proxy.
 */
export function startConnection(connection: ApiConnection, budgets: ConnectBudgets): PendingChannel {
  const ending = new AbortController();
  const ready = establish(connection, budgets, ending);
  return {
    ready,
    abandon() {
      ending.abort(new ConnectError('is no longer needed'));
      ready.then(
        (channel) => channel.close(),
        () => undefined, // the caller of `ready` handles it
      );
    },
  };
}

/** Checks whether the server accepts a TCP connection in time. Closes the connection immediately. */
export async function takesConnections(server: ServerUrl, connectMs: number): Promise<boolean> {
  const ending = new AbortController();
  try {
    const addresses = await resolveAddresses(server, connectMs, ending);
    using _socket = await connectInTime(addresses, connectMs, ending);
    return true;
  } catch {
    return false;
  }
}

async function establish(
  { server, serverSource, tls }: ApiConnection,
  { connectMs, handshakeMs }: ConnectBudgets,
  ending: AbortController,
): Promise<Channel> {
  const addresses = await resolveAddresses(server, connectMs, ending);
  using resources = new DisposableStack();
  // Started first: the kernel connects while TLS is prepared.
  const connecting = connectInTime(addresses, connectMs, ending);
  resources.defer(() => {
    connecting.then(
      (socket) => socket[Symbol.dispose](),
      () => undefined, // it has closed its socket
    );
  });
  resources.defer(() => ending.abort());
  const context = tls && resources.use(prepareTls(tls, parseServerName(tls.serverName ?? server.host, serverSource)));
  const socket = await connecting;
  const session = context && resources.use(context.openSession(socket.fd));
  if (session !== undefined) await shakeHands(session, socket, handshakeMs, ending);
  return openChannel(socket, session ?? socket, resources.move());
}

async function resolveAddresses(
  { host, port }: ServerUrl,
  connectMs: number,
  ending: AbortController,
): Promise<readonly TcpAddress[]> {
  const bytes = addressBytes(host);
  if (bytes !== undefined) return [{ bytes, port }];
  const resolveMs = Math.max(RESOLVE_MS, connectMs);
  const late = (): ConnectError =>
    new ConnectError(
      `cannot be reached: its name ${JSON.stringify(host)} could not be resolved within ${resolveMs} ms ` +
        `(name servers: ${describeNameServers()}): check /etc/resolv.conf, or name the server by its address`,
    );
  using _budget = startBudget(resolveMs, () => ending.abort(late()));
  const found = (await untilAborted(resolveName(host), ending.signal)).map(addressBytes);
  return found.filter((address) => address !== undefined).map((address) => ({ bytes: address, port }));
}

async function connectInTime(
  addresses: readonly TcpAddress[],
  connectMs: number,
  ending: AbortController,
): Promise<TcpSocket> {
  const late = new ConnectError(`did not accept the connection within ${connectMs} ms`);
  using _budget = startBudget(connectMs, () => ending.abort(late));
  return await connectTcp(addresses, ending.signal);
}

async function shakeHands(
  session: TlsSession,
  socket: TcpSocket,
  handshakeMs: number,
  ending: AbortController,
): Promise<void> {
  const late = new ConnectError(`did not finish the TLS handshake within ${handshakeMs} ms`);
  using _budget = startBudget(handshakeMs, () => ending.abort(late));
  for (let outcome = session.shakeHands(); outcome !== 'done'; outcome = session.shakeHands()) {
    if (outcome === 'ended') throw new ConnectError('closed the connection before it was ready');
    await untilSocketReady(socket, outcome, ending.signal);
  }
}

function parseServerName(given: string, source: string): ServerName {
  const name = given.replace(/\.$/, ''); // a trailing dot is not a part of the name
  const bytes = addressBytes(name);
  if (bytes !== undefined) return { kind: 'address', bytes };
  if (/^[^.\0][^\0]*$/.test(name)) return { kind: 'dns', text: name };
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `${JSON.stringify(given)} is not the name of a server: correct the host of the URL, or tls-server-name, in ${source}`,
  );
}

function prepareTls(settings: TlsSettings, serverName: ServerName): TlsContext {
  const { verification, certificateAuthority, clientCertificate } = settings;
  try {
    return openTlsContext({
      verification,
      serverName,
      authorities: certificateAuthority === undefined ? publicRoots(verification) : [certificateAuthority.text],
      client: clientCertificate && {
        certificate: clientCertificate.certificate.text,
        key: clientCertificate.key.reveal(),
      },
    });
  } catch (cause) {
    if (!(cause instanceof TlsIdentityError)) throw cause;
    const { code } = cause;
    const files = [certificateAuthority?.source, clientCertificate?.certificate.source, clientCertificate?.key.source];
    const names = files.filter((file) => file !== undefined).join(', ');
    const message =
      `TLS rejected the certificate or key (${code}): ` +
      `check that these files contain complete PEM blocks that belong together: ${names}`;
    throw new CniError(ERROR_CODE.invalidConfig, message, { details: code });
  }
}

/** The root certificates that are built into Node. Only a server without a configured authority needs them. */
function publicRoots(verification: TlsSettings['verification']): readonly string[] {
  return verification === 'off' ? [] : loadBuiltin('node:tls').rootCertificates;
}
