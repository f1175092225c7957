import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server. It counts the connections that clients open, and does not decrypt them. */
export interface TcpRelay extends AsyncDisposable {
  /** `https://<address>:<port>` */
  readonly url: string;
  /** The number of connections that have been opened to it. */
  readonly opened: () => number;
  /** Ends all connections, as a server does that has been idle for long. Resolves when the clients have ended them, too. */
  readonly endAll: () => Promise<void>;
}

/**
 * @param target the server's URL
 * @param address the loopback address on which the relay listens
 * @param onConnection runs before the first byte of a connection is passed on
 */
export async function startTcpRelay(
  target: string,
  {
    address = '127.0.0.1',
    onConnection = async () => {},
  }: { readonly address?: string; readonly onConnection?: () => Promise<void> } = {},
): Promise<TcpRelay> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  let opened = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    opened += 1;
    track(client);
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const passOn = async () => {
      await onConnection();
      const upstream = connect(Number(port), hostname);
      track(upstream);
      client.pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    };
    passOn().catch(() => client.destroy());
  });
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  const listening = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `https://${address}:${listening}`,
    opened: () => opened,
    endAll: async () => void (await Promise.all([...clients].map((client) => once(client.end(), 'close')))),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
