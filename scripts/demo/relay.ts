import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server, type Socket } from 'node:net';

/** A listener that forwards every connection to another address. */
export interface Relay extends AsyncDisposable {
  /** The port of a TCP listener; 0 for a listener on a path. */
  readonly port: number;
}

/**
 * Forwards connections byte by byte. A Unix socket's path is the same in all network namespaces, so two relays connect
 * one namespace with another: TCP to path inside, path to TCP outside.
 */
export async function startRelay(from: ListenOptions, to: NetConnectOpts): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(from);
  await once(server, 'listening');
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
