import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as yieldToSockets } from 'node:timers/promises';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** Starts a relay in front of a server that passes on each byte in a separate packet, in both directions. */
export async function startByteRelay(targetPort: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) sockets.push(socket.on('error', () => undefined));
    for (const done of [passOnBytes(client, upstream), passOnBytes(upstream, client)]) {
      done.catch(() => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function passOnBytes(from: Socket, to: Socket): Promise<void> {
  for await (const bytes of from) {
    for (const byte of Buffer.from(bytes)) {
      to.write(Uint8Array.of(byte));
      await yieldToSockets();
    }
  }
  to.end();
}
