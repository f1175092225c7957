import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openChannel, type Channel } from '../../../src/cluster/wire/channel.ts';
import { connectTcp } from '../../../src/cluster/wire/connect-tcp.ts';
import { until } from '../../lab/until.ts';
import { listenOnLoopback } from './connections/listen-on-loopback.ts';

interface Observed {
  readonly channel: Channel;
  readonly peer: Socket;
  received: string;
  readonly ends: unknown[];
  releases: number;
}

describe('a channel', () => {
  it('passes on what arrives, and the end', async () => {
    const observed = await open();
    observed.peer.write('abc');
    await until('it has arrived', () => observed.received === 'abc');
    observed.peer.end('def');
    await until('the connection has ended', () => observed.ends.length > 0);
    expect(observed).toMatchObject({ received: 'abcdef', ends: [undefined] });
    await until('the socket is released', () => observed.releases === 1);
  });

  it('reports why a connection has failed', async () => {
    const observed = await open();
    observed.peer.resetAndDestroy();
    await until('the connection has ended', () => observed.ends.length > 0);
    expect(observed.ends).toEqual([expect.objectContaining({ errnoName: 'ECONNRESET' })]);
    await until('the socket is released', () => observed.releases === 1);
  });

  it('sends more than the kernel takes at once, in order', async () => {
    const { channel, peer } = await open();
    const sent = Buffer.from(Array.from({ length: 8 * 1024 * 1024 }, (_, index) => index % 253));
    const arrived: Buffer[] = [];
    let length = 0;
    peer.on('data', (bytes: Buffer) => {
      arrived.push(bytes);
      length += bytes.length;
    });
    channel.send(sent.subarray(0, 5_000_000));
    channel.send(sent.subarray(5_000_000));
    await until('everything has arrived', () => length === sent.length);
    expect(Buffer.concat(arrived).equals(sent)).toBe(true);
  });

  it('that is closed tells its listener nothing more, and releases the socket once', async () => {
    const observed = await open();
    const hasEnded = new Promise((resolve) => observed.peer.once('end', resolve).resume());
    observed.channel.close();
    observed.channel.close();
    observed.channel.send(Buffer.from('late'));
    await hasEnded;
    await until('the socket is released', () => observed.releases > 0);
    expect(observed).toMatchObject({ received: '', ends: [], releases: 1 });
  });

  it('keeps its socket as long as a thread waits for it', async () => {
    const observed = await open();
    observed.channel.close();
    expect(observed.releases).toBe(0);
    await until('the socket is released', () => observed.releases === 1);
  });

  it('that its listener closes passes on nothing more', async () => {
    const observed = await open(({ channel }) => channel.close());
    observed.peer.write('abc');
    await until('the socket is released', () => observed.releases === 1);
    expect(observed).toMatchObject({ received: 'abc', ends: [] });
  });
});

/** @param onReceived is called after each chunk has been recorded */
async function open(onReceived: (observed: Observed) => void = () => undefined): Promise<Observed> {
  const peer = Promise.withResolvers<Socket>();
  const server = createServer((socket) => peer.resolve(socket.on('error', () => undefined)));
  onTestFinished(() => void server.close());
  const port = await listenOnLoopback(server);
  const socket = await connectTcp([{ bytes: Uint8Array.of(127, 0, 0, 1), port }], new AbortController().signal);
  const channel = openChannel(socket, socket, {
    [Symbol.dispose]() {
      observed.releases++;
      socket[Symbol.dispose]();
    },
  });
  const observed: Observed = { channel, peer: await peer.promise, received: '', ends: [], releases: 0 };
  onTestFinished(() => {
    channel.close();
    observed.peer.destroy();
  });
  channel.listen({
    received(bytes) {
      observed.received += bytes.toString();
      onReceived(observed);
    },
    ended: (cause) => void observed.ends.push(cause),
  });
  return observed;
}
