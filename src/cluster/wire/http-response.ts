export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of one name joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/**
 * `unanswered`: the connection ended before the first byte of an answer, after it had answered others, so the server had
 * closed it already and a GET can be sent again. `message` continues a sentence about the server.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: 'unanswered' | 'closed' | 'truncated' | 'malformed';

  constructor(kind: HttpError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** `isLast`: the server will close the connection after it. */
export interface ReadResponse {
  readonly response: HttpResponse;
  readonly isLast: boolean;
}

/** Cuts a stream of bytes into responses. After it has thrown it is not to be used again. */
export interface ResponseReader {
  /** The responses that these bytes complete. @throws {HttpError} malformed */
  push(bytes: Buffer): readonly ReadResponse[];
  isInsideResponse(): boolean;
}

/**
 * Knows final answers of HTTP/1.1 with a Content-Length or in chunks, and refuses everything else that HTTP allows (1xx,
 * bodies up to the connection's end, chunk extensions, trailers, folded headers, bare line feeds): API servers send none
 * of it, and what two readers take differently is how answers get smuggled.
 *
 * @see RFC 9112 sections 4, 5, 6.3, 7.1
 */
export function createResponseReader(): ResponseReader {
  let unread: Buffer = Buffer.alloc(0);
  let state: State = { kind: 'head' };

  const step = (): ReadResponse | 'again' | 'more' => {
    if (state.kind === 'body' || state.kind === 'chunk') {
      const { head, parts, missing, kind } = state;
      const part = unread.subarray(0, missing);
      unread = unread.subarray(part.length);
      parts.push(part);
      if (part.length < missing) {
        state = { ...state, missing: missing - part.length };
        return 'more';
      }
      state = kind === 'body' ? { kind: 'head' } : { ...state, kind: 'chunk-end' };
      return kind === 'body' ? finish(head, parts) : 'again';
    }
    const end = unread.indexOf(state.kind === 'head' ? '\r\n\r\n' : '\r\n');
    const most = state.kind === 'head' ? MAX_HEAD_BYTES : MAX_CHUNK_LINE_BYTES;
    if (end > most || (end < 0 && unread.length > most + 3))
      throw malformed('sent too long a line or too many headers');
    if (end < 0) {
      if (state.kind === 'head') refuseOtherProtocols(unread);
      return 'more';
    }
    const text = unread.toString('latin1', 0, end);
    unread = unread.subarray(end + (state.kind === 'head' ? 4 : 2));
    if (state.kind === 'head') {
      const head = parseHead(text);
      state =
        head.length === 'chunked'
          ? { kind: 'chunk-size', head, parts: [], size: 0 }
          : { kind: 'body', head, parts: [], missing: head.length };
      return 'again';
    }
    if (state.kind === 'chunk-size') {
      const missing = parseChunkSize(text);
      const size = state.size + missing;
      if (size > MAX_BODY_BYTES) throw malformed(TOO_BIG);
      state = missing === 0 ? { ...state, kind: 'last-line' } : { ...state, kind: 'chunk', missing, size };
      return 'again';
    }
    if (text !== '')
      throw malformed(
        state.kind === 'last-line'
          ? 'sent trailers, which podwire does not know'
          : 'sent a chunk of another length than it said',
      );
    if (state.kind === 'chunk-end') {
      state = { ...state, kind: 'chunk-size' };
      return 'again';
    }
    const { head, parts } = state;
    state = { kind: 'head' };
    return finish(head, parts);
  };

  return {
    push(bytes) {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
      const complete: ReadResponse[] = [];
      for (let result = step(); result !== 'more'; result = step()) if (result !== 'again') complete.push(result);
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

type State =
  | { readonly kind: 'head' }
  | { readonly kind: 'body'; readonly head: Head; readonly parts: Buffer[]; readonly missing: number }
  | {
      readonly kind: 'chunk-size' | 'chunk-end' | 'last-line';
      readonly head: Head;
      readonly parts: Buffer[];
      readonly size: number;
    }
  | {
      readonly kind: 'chunk';
      readonly head: Head;
      readonly parts: Buffer[];
      readonly size: number;
      readonly missing: number;
    };

function finish({ status, headers }: Head, parts: readonly Buffer[]): ReadResponse {
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
  if (status < 200 || status > 599 || status === 204 || status === 304)
    throw malformed(`sent ${quoteLine(statusLine)}, no answer of HTTP/1.1 that podwire knows`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed('sent a header line that is none');
    const key = name.toLowerCase();
    const earlier = headers.get(key);
    headers.set(key, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw malformed('sent a compressed answer, which nobody asked for');
  return { status, headers, length: parseLength(headers) };
}

function parseLength(headers: ReadonlyMap<string, string>): number | 'chunked' {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) throw malformed('sent both Content-Length and Transfer-Encoding');
  if (coding?.toLowerCase() === 'chunked') return 'chunked';
  if (coding !== undefined) throw malformed('sent a Transfer-Encoding other than chunked');
  // Two Content-Lengths have been joined by a comma, so they fail here.
  if (length === undefined || !/^(0|[1-9][0-9]{0,14})$/.test(length))
    throw malformed('sent an answer of no known length (Content-Length)');
  if (Number(length) > MAX_BODY_BYTES) throw malformed(TOO_BIG);
  return Number(length);
}

function parseChunkSize(text: string): number {
  if (!/^[0-9a-fA-F]{1,8}$/.test(text)) throw malformed('sent a chunk size that is none');
  return Number.parseInt(text, 16);
}

// At the first byte that does not fit: a server of another protocol may wait for us to speak.
function refuseOtherProtocols(bytes: Buffer): void {
  const start = bytes.toString('latin1', 0, HTTP_1_1.length);
  if (!HTTP_1_1.startsWith(start))
    throw malformed(`sent ${quoteLine(bytes.toString('latin1', 0, 64))}, which is not HTTP/1.1`);
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

function malformed(message: string): HttpError {
  return new HttpError('malformed', message);
}

const HTTP_1_1 = 'HTTP/1.1 ';
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CHUNK_LINE_BYTES = 8;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TOO_BIG = 'sent an answer of more than 16 MiB';
