import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressBytes, connectTcp } from '../../../src/cluster/wire/connect-tcp.ts';
import type { TcpAddress } from '../../../src/system/tcp-socket.ts';
import { listenOnLoopback } from './connections/listen-on-loopback.ts';

describe('the bytes of an address', () => {
  const reads = (text: string, bytes: readonly number[] | undefined) =>
    it(JSON.stringify(text), () => expect(addressBytes(text)).toEqual(bytes && Uint8Array.from(bytes)));
  reads('10.0.0.1', [10, 0, 0, 1]);
  reads('fd00::1', [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  reads('::ffff:10.0.0.1', [10, 0, 0, 1]);
  reads('::FFFF:a00:1', [10, 0, 0, 1]);
  reads('::ffff:10.0.0.256', undefined);
  reads('api.example', undefined);
  reads('10.0.0', undefined);
  reads('fe80::1%eth0', undefined);
  reads('', undefined);
});

describe('a connection', () => {
  it('is made to the first address that accepts it', async () => {
    const port = await listen();
    using socket = await connectTcp([REFUSING, address('127.0.0.2', port), address('127.0.0.1', port)], NEVER);
    expect(socket.isConnected()).toBe(true);
  });
  it('that no address accepts is rejected with the error of the last', async () => {
    await expect(connectTcp([REFUSING, REFUSING], NEVER)).rejects.toMatchObject({ errnoName: 'ECONNREFUSED' });
  });
  it('is not made once its signal is aborted', async () => {
    const addresses = [address('127.0.0.1', await listen())];
    const connecting = connectTcp(addresses, AbortSignal.abort(new Error('enough')));
    await expect(connecting).rejects.toThrow('enough');
  });
});

const NEVER = new AbortController().signal;
const REFUSING = address('127.0.0.1', 1);

function address(text: string, port: number): TcpAddress {
  return { bytes: addressBytes(text) ?? new Uint8Array(), port };
}

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.end());
  onTestFinished(() => void server.close());
  return listenOnLoopback(server);
}
