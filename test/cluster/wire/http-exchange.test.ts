import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatRequest, openHttpExchange } from '../../../src/cluster/wire/http-exchange.ts';

describe('requests', () => {
  const refuses = (why: string, path: string, value: string) =>
    it(`${why} is refused, without naming it`, () => {
      expect(() => formatRequest({ method: 'GET', path, headers: { A: value } })).toThrow(/^a request (path|header)/);
    });
  refuses('a line break in the path', '/a\r\nX: y', 'v');
  refuses('a space in the path', '/a b', 'v');
  refuses('a relative path', 'a', 'v');
  refuses('a line break in a value', '/', 'a\r\nX: y');
  refuses('an empty value', '/', '');

  it('a body has its length in bytes', () => {
    const text = Buffer.from(
      formatRequest({ method: 'PATCH', path: '/a', headers: { Host: 'h' }, body: Buffer.from('ü') }),
    ).toString();
    expect(text).toBe('PATCH /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nü');
  });
});

describe('an exchange', () => {
  it('a response without a request ends it', async () => {
    const { exchange, socket } = openOnSocket();
    socket.push('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(exchange.isOpen()).toBe(false);
    await expect(exchange.send({ method: 'GET', path: '/', headers: {} })).rejects.toThrow('without a request');
  });
  it('a socket that has already failed rejects new requests', async () => {
    const socket = new FakeSocket();
    socket.on('error', () => undefined);
    socket.destroy(new Error('gone'));
    const exchange = openHttpExchange(socket);
    await expect(exchange.send({ method: 'GET', path: '/', headers: {} })).rejects.toMatchObject({ kind: 'closed' });
  });
});

class FakeSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }
}

function openOnSocket() {
  const socket = new FakeSocket();
  return { socket, exchange: openHttpExchange(socket) };
}
