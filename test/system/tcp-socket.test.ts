import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openTcpSocket, type TcpSocket } from '../../src/system/tcp-socket.ts';
import { listenOnLoopback } from '../cluster/wire/connections/listen-on-loopback.ts';

const LOOPBACK = { '127.0.0.1': Uint8Array.of(127, 0, 0, 1), '::1': Uint8Array.of(...Buffer.alloc(15), 1) };

describe.each(Object.entries(LOOPBACK))('a TCP socket to %s', (host, bytes) => {
  it('sends and receives', async () => {
    const { socket, peer } = await connect(host, bytes);
    expect(socket.write(Buffer.from('abc'))).toBe(3);
    expect(await new Promise((resolve) => peer.once('data', (sent: Buffer) => resolve(sent.toString())))).toBe('abc');
    peer.write('def');
    expect(await readNext(socket)).toBe('def');
  });

  it('reports that there is nothing to read', async () => {
    const { socket } = await connect(host, bytes);
    expect(socket.read(Buffer.alloc(10))).toBe('readable');
  });

  it('reports that the kernel takes no more', async () => {
    const { socket } = await connect(host, bytes);
    const megabyte = Buffer.alloc(1024 * 1024);
    let outcome: unknown = 0;
    while (typeof outcome === 'number') outcome = socket.write(megabyte); // the peer is on this thread and cannot read
    expect(outcome).toBe('writable');
  });

  it('reads the end of the stream as no bytes', async () => {
    const { socket, peer } = await connect(host, bytes);
    peer.end();
    expect(await readNext(socket)).toBe('');
  });

  it('reports a reset', async () => {
    const { socket, peer } = await connect(host, bytes);
    peer.resetAndDestroy();
    await expect(readNext(socket)).rejects.toMatchObject({ errnoName: 'ECONNRESET' });
  });

  it('that is shut down ends its wait, and stays open', async () => {
    const { socket } = await connect(host, bytes);
    const waiting = socket.wait(['readable']);
    socket.shutDown();
    await waiting;
    expect(socket.read(Buffer.alloc(10))).toBe(0);
    expect(() => socket.write(Buffer.alloc(1))).toThrow(/EPIPE/);
  });
});

it('a port on which nothing listens refuses the connection', () => {
  const connecting = () => {
    using socket = openTcpSocket({ bytes: LOOPBACK['127.0.0.1'], port: 1 });
    while (!socket.isConnected());
  };
  expect(connecting).toThrow(/cannot establish the connection: .* \(ECONNREFUSED\)/);
});

async function connect(host: string, bytes: Uint8Array): Promise<{ socket: TcpSocket; peer: Socket }> {
  const peer = Promise.withResolvers<Socket>();
  const server = createServer((accepted) => peer.resolve(accepted.on('error', () => undefined)));
  onTestFinished(() => void server.close());
  const socket = openTcpSocket({ bytes, port: await listenOnLoopback(server, host) });
  while (!socket.isConnected()) await socket.wait(['writable']);
  const accepted = await peer.promise;
  onTestFinished(() => {
    socket[Symbol.dispose]();
    accepted.destroy();
  });
  return { socket, peer: accepted };
}

async function readNext(socket: TcpSocket): Promise<string> {
  const buffer = Buffer.alloc(100);
  for (;;) {
    const outcome = socket.read(buffer);
    if (typeof outcome === 'number') return buffer.toString('latin1', 0, outcome);
    await socket.wait([outcome]);
  }
}
