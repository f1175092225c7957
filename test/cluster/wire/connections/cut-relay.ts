import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** How a relay ends a connection, or no longer answers on it. */
export type Ending = 'stall' | 'close' | 'half-close' | 'reset';

/** Where: when a client has connected, or when it has sent something and this many bytes of the server have been passed on. */
export type Place = 'accept' | { readonly afterBytes: number };

export interface Cut {
  readonly how: Ending;
  readonly where: Place;
}

/** A relay in front of a TLS server, which it does not decrypt. */
export interface CutRelay extends AsyncDisposable {
  readonly port: number;
  /** What the server has sent over all connections. */
  readonly sent: () => Buffer;
}

/** Starts a relay that passes on everything until the cut. */
export async function startCutRelay(targetPort: number, cut?: Cut): Promise<CutRelay> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    track(client);
    const where = cut?.where;
    if (cut !== undefined && where === 'accept') {
      end(client, cut.how);
      return;
    }
    const upstream = track(connect(targetPort, '127.0.0.1'));
    const limit = where === undefined || where === 'accept' ? Infinity : where.afterBytes;
    let passedOn = 0;
    let isCut = false;
    const cutAtLimit = (): void => {
      if (isCut || passedOn < limit || cut === undefined) return;
      isCut = true;
      upstream.destroy();
      end(client, cut.how);
    };
    client.on('data', (bytes) => {
      if (isCut) return;
      upstream.write(bytes);
      cutAtLimit();
    });
    upstream.on('data', (bytes: Buffer) => {
      if (isCut) return;
      const part = bytes.subarray(0, limit - passedOn);
      passedOn += part.length;
      chunks.push(part);
      client.write(part, cutAtLimit);
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => isCut || client.end());
    client.on('close', () => upstream.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    sent: () => Buffer.concat(chunks),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function end(client: Socket, how: Ending): void {
  switch (how) {
    case 'stall':
      client.resume();
      return;
    case 'close':
      client.destroy();
      return;
    case 'half-close':
      client.resume();
      client.end();
      return;
    case 'reset':
      client.resetAndDestroy();
      return;
    default:
      how satisfies never;
  }
}

/** The place in front of, in the header of, in the middle of, and after each record of TLS. */
export function placesIn(sent: Buffer): readonly Place[] {
  const places = new Set<number>();
  for (let start = 0; start + HEADER_BYTES <= sent.length;) {
    const length = sent.readUInt16BE(start + 3);
    const endOfRecord = start + HEADER_BYTES + length;
    for (const place of [start, start + 1, start + HEADER_BYTES, start + HEADER_BYTES + length / 2, endOfRecord - 1]) {
      places.add(Math.floor(place));
    }
    start = endOfRecord;
  }
  return [...places].map((afterBytes) => ({ afterBytes }));
}

/** RFC 8446, section 5.1. */
const HEADER_BYTES = 5;
