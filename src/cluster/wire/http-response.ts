/** A complete response. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of one name joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/**
 * The error for a connection over which no further response can come. `message` continues a sentence about the server.
 *
 * `unanswered`: the connection had carried other responses and ended before the first byte of this one, so the server
 * had closed it already and a GET can be sent again.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: 'unanswered' | 'closed' | 'truncated' | 'malformed';

  constructor(kind: HttpError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** A response that has been read. `isLast`: the server will close the connection after it. */
export interface ReadResponse {
  readonly response: HttpResponse;
  readonly isLast: boolean;
}

/** Splits a stream of bytes into responses. It must not be used again after it has thrown. */
export interface ResponseReader {
  /**
   * Returns the responses that these bytes complete.
   *
   * @throws {HttpError} malformed
   */
  push(bytes: Buffer): readonly ReadResponse[];
  isInsideResponse(): boolean;
}

/**
 * Creates a reader for final responses of HTTP/1.1 with a Content-Length or in chunks. It rejects everything else
 * that HTTP permits (1xx, bodies that end with the connection, chunk extensions, trailers, folded headers, bare line
 * feeds): API servers do not send it, and responses that two readers understand differently are how responses get
 * smuggled.
 *
 * @see RFC 9112 sections 4, 5, 6.3, 7.1
 */
export function createResponseReader(): ResponseReader {
  let unread: Buffer = Buffer.alloc(0);
  let state: State = { kind: 'head' };
  return {
    push(bytes) {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
      const complete: ReadResponse[] = [];
      for (let step = advance(state, unread); step !== undefined; step = advance(state, unread)) {
        state = step.next;
        unread = step.rest;
        if (step.complete !== undefined) complete.push(step.complete);
      }
      return complete;
    },
    isInsideResponse: () => state.kind !== 'head' || unread.length > 0,
  };
}

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly length: number | 'chunked';
}

/** The part of a response that has been read after its head. */
interface Body {
  readonly head: Head;
  readonly parts: Buffer[];
  /** The announced bytes of all chunks so far. */
  readonly size: number;
}

/** What the reader expects next. */
type State =
  | { readonly kind: 'head' }
  | { readonly kind: 'body' | 'chunk'; readonly body: Body; readonly missing: number }
  | { readonly kind: 'chunk-size' | 'chunk-end' | 'last-line'; readonly body: Body };

interface Step {
  readonly next: State;
  /** The bytes that are still unread. */
  readonly rest: Buffer;
  readonly complete?: ReadResponse;
}

/** Takes one step, or returns undefined if it needs more bytes. */
function advance(state: State, unread: Buffer): Step | undefined {
  switch (state.kind) {
    case 'head':
      return readHead(unread);
    case 'body':
      return readBody(state.body, state.missing, unread);
    case 'chunk-size':
      return readChunkSize(state.body, unread);
    case 'chunk':
      return readChunk(state.body, state.missing, unread);
    case 'chunk-end':
      return readChunkEnd(state.body, unread);
    case 'last-line':
      return readLastLine(state.body, unread);
    default:
      return state satisfies never;
  }
}

function readHead(unread: Buffer): Step | undefined {
  const line = takeUntil('\r\n\r\n', MAX_HEAD_BYTES, unread);
  if (line === undefined) {
    assertHttp(unread);
    return undefined;
  }
  const head = parseHead(line.text);
  const body = { head, parts: [], size: 0 };
  const next: State =
    head.length === 'chunked' ? { kind: 'chunk-size', body } : { kind: 'body', body, missing: head.length };
  return { next, rest: line.rest };
}

function readBody(body: Body, missing: number, unread: Buffer): Step | undefined {
  const rest = takePart(body, missing, unread);
  const stillMissing = missing - (unread.length - rest.length);
  if (stillMissing === 0) return { next: { kind: 'head' }, rest, complete: finish(body) };
  return unread.length === 0 ? undefined : { next: { kind: 'body', body, missing: stillMissing }, rest };
}

function readChunkSize(body: Body, unread: Buffer): Step | undefined {
  const line = takeUntil('\r\n', MAX_CHUNK_LINE_BYTES, unread);
  if (line === undefined) return undefined;
  const missing = parseChunkSize(line.text);
  const size = body.size + missing;
  if (size > MAX_BODY_BYTES) throw malformedError(TOO_LARGE);
  const next: State = missing === 0 ? { kind: 'last-line', body } : { kind: 'chunk', body: { ...body, size }, missing };
  return { next, rest: line.rest };
}

function readChunk(body: Body, missing: number, unread: Buffer): Step | undefined {
  const rest = takePart(body, missing, unread);
  const stillMissing = missing - (unread.length - rest.length);
  if (stillMissing === 0) return { next: { kind: 'chunk-end', body }, rest };
  return unread.length === 0 ? undefined : { next: { kind: 'chunk', body, missing: stillMissing }, rest };
}

function readChunkEnd(body: Body, unread: Buffer): Step | undefined {
  const line = takeUntil('\r\n', MAX_CHUNK_LINE_BYTES, unread);
  if (line === undefined) return undefined;
  if (line.text !== '') throw malformedError('sent a chunk of another length than it announced');
  return { next: { kind: 'chunk-size', body }, rest: line.rest };
}

function readLastLine(body: Body, unread: Buffer): Step | undefined {
  const line = takeUntil('\r\n', MAX_CHUNK_LINE_BYTES, unread);
  if (line === undefined) return undefined;
  if (line.text !== '') throw malformedError('sent trailers, which podwire does not support');
  return { next: { kind: 'head' }, rest: line.rest, complete: finish(body) };
}

/** Takes the text before this end. Undefined if the end has not arrived yet. */
function takeUntil(end: string, maxBytes: number, unread: Buffer): { text: string; rest: Buffer } | undefined {
  const index = unread.indexOf(end);
  if (index > maxBytes || (index < 0 && unread.length > maxBytes + 3)) {
    throw malformedError('sent too long a line or too many headers');
  }
  if (index < 0) return undefined;
  return { text: unread.toString('latin1', 0, index), rest: unread.subarray(index + end.length) };
}

/** Adds the bytes that have arrived to the body, at most `missing`, and returns the others. */
function takePart({ parts }: Body, missing: number, unread: Buffer): Buffer {
  const part = unread.subarray(0, missing);
  if (part.length > 0) parts.push(part);
  return unread.subarray(part.length);
}

function finish({ head: { status, headers }, parts }: Body): ReadResponse {
  const isLast = (headers.get('connection') ?? '')
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/)
    .includes('close');
  return { response: { status, headers, body: Buffer.concat(parts) }, isLast };
}

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, digits] = /^HTTP\/1\.1 ([0-9]{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(statusLine) ?? [];
  const status = Number(digits ?? 0);
  if (status < 200 || status > 599 || status === 204 || status === 304) {
    throw malformedError(`sent ${quoteLine(statusLine)}, which is not a response of HTTP/1.1 that podwire supports`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformedError('sent a malformed header line');
    const key = name.toLowerCase();
    const earlier = headers.get(key);
    headers.set(key, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw malformedError('sent a compressed response, which podwire did not request');
  }
  return { status, headers, length: parseLength(headers) };
}

function parseLength(headers: ReadonlyMap<string, string>): number | 'chunked' {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) {
    throw malformedError('sent both Content-Length and Transfer-Encoding');
  }
  if (coding?.toLowerCase() === 'chunked') return 'chunked';
  if (coding !== undefined) throw malformedError('sent a Transfer-Encoding other than chunked');
  // Two Content-Lengths have been joined by a comma, so this check rejects them too.
  if (length === undefined || !/^(0|[1-9][0-9]{0,14})$/.test(length)) {
    throw malformedError('sent a response of unknown length (Content-Length)');
  }
  if (Number(length) > MAX_BODY_BYTES) throw malformedError(TOO_LARGE);
  return Number(length);
}

function parseChunkSize(text: string): number {
  if (!/^[0-9a-fA-F]{1,8}$/.test(text)) throw malformedError('sent a malformed chunk size');
  return Number.parseInt(text, 16);
}

// Checks from the first byte on: a server of another protocol may wait for the client to speak.
function assertHttp(bytes: Buffer): void {
  const start = bytes.toString('latin1', 0, HTTP_1_1.length);
  if (HTTP_1_1.startsWith(start)) return;
  throw malformedError(`sent ${quoteLine(bytes.toString('latin1', 0, 64))}, which is not HTTP/1.1`);
}

function quoteLine(text: string): string {
  return JSON.stringify(
    text
      .split(/[\r\n]/, 1)
      .join('')
      .slice(0, 64)
      .replace(/[^\x20-\x7e]/g, '?'),
  );
}

function malformedError(message: string): HttpError {
  return new HttpError('malformed', message);
}

const HTTP_1_1 = 'HTTP/1.1 ';
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CHUNK_LINE_BYTES = 8;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TOO_LARGE = 'sent a response of more than 16 MiB';
