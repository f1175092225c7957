import { request as httpRequest } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResponseReader, HttpError, type ReadResponse } from '../../../src/cluster/wire/http-response.ts';

const read = (text: string) => createResponseReader().push(Buffer.from(text, 'latin1'));
const bodies = (responses: readonly ReadResponse[]) =>
  responses.map(({ response }) => Buffer.from(response.body).toString());

describe('responses that are read', () => {
  const reads = (why: string, text: string, ...expected: readonly string[]) =>
    it(why, () => {
      expect(bodies(read(text))).toEqual(expected);
      // One byte at a time makes no difference.
      const reader = createResponseReader();
      expect(bodies(text.split('').flatMap((byte) => reader.push(Buffer.from(byte, 'latin1'))))).toEqual(expected);
      expect(reader.isInsideResponse()).toBe(false);
    });
  reads('a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab', 'ab');
  reads('a length of 0', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '');
  reads(
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n00A\r\n0123456789\r\n0\r\n\r\n',
    'ab0123456789',
  );
  reads('no chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n', '');
  reads(
    'two answers',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 X\r\nContent-Length: 1\r\n\r\nb',
    'a',
    'b',
  );
  reads('no reason', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na', 'a');
  reads('an empty reason', 'HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na', 'a');
  reads('white space around a value', 'HTTP/1.1 200 OK\r\nContent-Length:\t 1 \t\r\n\r\na', 'a');

  it('header names are lower case, several values joined', () => {
    const [first] = read('HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n');
    expect(first?.response.headers.get('x-a')).toBe('1, 2');
  });
  it('"close" among other options of Connection makes it the last', () => {
    const [first] = read('HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n');
    expect(first?.isLast).toBe(true);
  });
});

describe('responses that are refused', () => {
  const refuses = (why: string, text: string, message: RegExp) =>
    it(why, () => {
      expect(() => read(text)).toThrow(message);
      expect(() => read(text)).toThrow(HttpError);
    });
  const withHeader = (line: string) => `HTTP/1.1 200 OK\r\n${line}\r\n\r\n`;
  refuses('HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', /HTTP\/1.0 200 OK/);
  refuses('another protocol, at its first bytes', 'SSH-2', /"SSH-2"/);
  refuses('TLS bytes', '\x15\x03\x01', /not HTTP/);
  refuses('a continue', 'HTTP/1.1 100 Continue\r\n\r\n', /100 Continue/);
  refuses('a change of protocol', 'HTTP/1.1 101 Switching\r\n\r\n', /101/);
  refuses('no content', 'HTTP/1.1 204 No Content\r\n\r\n', /204/);
  refuses('not modified', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', /304/);
  refuses('a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n', /2000/);
  refuses('a body up to the end', withHeader('X: y'), /unknown length/);
  refuses('two lengths', withHeader('Content-Length: 1\r\nContent-Length: 1'), /unknown length/);
  refuses('a length list', withHeader('Content-Length: 1, 1'), /unknown length/);
  refuses('a signed length', withHeader('Content-Length: +1'), /unknown length/);
  refuses('a hexadecimal length', withHeader('Content-Length: 0x1'), /unknown length/);
  refuses('a length with leading zeros', withHeader('Content-Length: 01'), /unknown length/);
  refuses('a length of 16 MiB and a byte', withHeader('Content-Length: 16777217'), /16 MiB/);
  refuses('length and chunks', withHeader('Content-Length: 1\r\nTransfer-Encoding: chunked'), /both/);
  refuses('gzip and chunks', withHeader('Transfer-Encoding: gzip, chunked'), /other than chunked/);
  refuses('compression', withHeader('Content-Encoding: gzip\r\nContent-Length: 1'), /compressed/);
  refuses('a folded header', withHeader('X: a\r\n b'), /header line/);
  refuses('a space before the colon', withHeader('Content-Length : 1'), /header line/);
  refuses('a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\n', /HTTP\/1.1/);
  refuses('a NUL in a value', withHeader('X: a\0b'), /header line/);
  refuses('a header without a name', withHeader(': x'), /header line/);
  refuses('headers without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`, /too many headers/);
  refuses('more than 64 KiB of headers', withHeader(`X: ${'a'.repeat(70_000)}`), /too many headers/);
  const chunks = (text: string) => `${withHeader('Transfer-Encoding: chunked')}${text}`;
  refuses('a chunk extension', chunks('1;a=b\r\nx\r\n'), /chunk size/);
  refuses('an empty chunk size', chunks('\r\nx'), /chunk size/);
  refuses('a negative chunk size', chunks('-1\r\n'), /chunk size/);
  refuses('an endless chunk size', chunks('0000000000000000'), /too long a line/);
  refuses('a chunk longer than it says', chunks('1\r\nabc\r\n'), /another length|too long a line/);
  refuses('a trailer', chunks('0\r\nX: y\r\n\r\n'), /trailers/);
  refuses('a chunk of 4 GiB', chunks('ffffffff\r\n'), /16 MiB/);
  refuses('chunks of more than 16 MiB', chunks(`f00000\r\n${'x'.repeat(0xf00000)}\r\n`.repeat(2)), /16 MiB/);
});

describe('any bytes', () => {
  const pieces = fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.1 404 Gone',
    'HTTP/1.1 200',
    'HTTP/1.0 200 OK',
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    '0',
    '1',
    '5',
    'a',
    'abcde',
    ';x',
    'Content-Length: 5',
    'Content-Length: 1',
    'Content-Length: 0',
    'content-length:',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip',
    'Connection: close',
    'X-A: b',
    '\t',
    '\0',
    '\x80',
    '1\r\na\r\n',
    '0\r\n\r\n',
    '5\r\nabcde\r\n',
    '\r\n0\r\n\r\n',
  );
  const messages = fc.oneof(
    fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
    fc
      .tuple(fc.array(pieces, { maxLength: 3 }), fc.array(pieces, { maxLength: 6 }))
      .map(
        ([headers, body]) =>
          `HTTP/1.1 200 OK\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body.join('')}`,
      ),
    fc.string({ unit: 'binary', maxLength: 100 }),
  );

  // Framed correctly, then possibly corrupted in one place.
  const bodiesInParts = fc.array(
    fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ';'), minLength: 1, maxLength: 20 }),
    { maxLength: 4 },
  );
  const extras = fc.array(
    fc.constantFrom('X-A: b', 'Connection: close', 'Content-Encoding: identity', 'X-A:', 'X-A:\t\x80 '),
    { maxLength: 3 },
  );
  const framed = fc
    .record({ parts: bodiesInParts, extras, isChunked: fc.boolean(), at: fc.option(fc.nat(200)), piece: pieces })
    .map(({ parts, extras: lines, isChunked, at, piece }) => {
      const body = isChunked
        ? [...parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`), '0\r\n\r\n'].join('')
        : parts.join('');
      const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
      const whole = `${['HTTP/1.1 200 OK', ...lines, length].join('\r\n')}\r\n\r\n${body}`;
      return at === null ? whole : `${whole.slice(0, at)}${piece}${whole.slice(at + 1)}`;
    });
  const any = fc.oneof(messages, framed);

  it('are read alike in one piece and in many, or refused in both cases', () => {
    fc.assert(
      fc.property(any, fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 30 }), (text, sizes) => {
        const bytes = Buffer.from(text, 'latin1');
        expect(inPieces(bytes, sizes)).toEqual(inPieces(bytes, []));
      }),
      { numRuns: 20_000 },
    );
  });

  it('that are read are read the same by node:http', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(any, async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const ours = inPieces(bytes, []);
        if (ours === 'refused' || ours.length !== 1 || ours[0]?.rest !== false) return;
        count++;
        expect({ ...(await readByNode(bytes)), rest: false }).toEqual(ours[0]);
      }),
      { numRuns: 5000 },
    );
    // Otherwise the comparison says nothing.
    expect(count).toBeGreaterThan(250);
  });
});

function inPieces(
  bytes: Buffer,
  sizes: readonly number[],
): 'refused' | { status: number; body: string; rest: boolean }[] {
  const reader = createResponseReader();
  const responses: ReadResponse[] = [];
  try {
    let start = 0;
    for (const size of sizes) {
      responses.push(...reader.push(bytes.subarray(start, start + size)));
      start = Math.min(bytes.length, start + size);
    }
    responses.push(...reader.push(bytes.subarray(start)));
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    return 'refused';
  }
  const rest = reader.isInsideResponse();
  return responses.map(({ response }) => ({
    status: response.status,
    body: Buffer.from(response.body).toString('latin1'),
    rest,
  }));
}

class FakeSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }
}

function readByNode(bytes: Buffer): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new FakeSocket();
    const request = httpRequest({ createConnection: () => socket }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString('latin1') }),
      );
    });
    request.on('error', reject);
    request.end();
    socket.push(bytes);
    socket.push(null);
  });
}
