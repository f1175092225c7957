import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** A fault of an API server, or of a proxy in front of it. */
export type Fault =
  /** Nothing listens on the port. */
  | { readonly kind: 'refuse' }
  /** `accept`: as soon as TCP is connected. `tls`: after the client's first bytes. `headers`: after the request. `body`: in the middle of it. */
  | { readonly kind: 'reset' | 'stall' | 'close'; readonly at: 'accept' | 'tls' | 'headers' | 'body' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfterSeconds?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Responds with 502 and an HTML page, as a load balancer does. */
  | { readonly kind: 'html' }
  /** Responds with 200 and this instead of the requested object. */
  | { readonly kind: 'body'; readonly body: string }
  /** Sends these bytes as the response and closes the connection. */
  | { readonly kind: 'raw'; readonly bytes: string }
  /** Responds with 400 and repeats the request's headers. */
  | { readonly kind: 'echo' }
  /** Sends the correct response and closes the connection. */
  | { readonly kind: 'last-answer' };

/** The requests that the fault applies to: by default all. */
export interface FaultScope {
  readonly method?: 'GET' | 'PATCH';
  /** A part of the path. */
  readonly path?: string;
  /** The number of requests after which the fault ends. */
  readonly times?: number;
}

/** Applies a fault to a new connection. Returns true if the fault has taken over the connection. */
export function spoilConnection(fault: Fault, socket: Socket): boolean {
  if (!('at' in fault) || (fault.at !== 'accept' && fault.at !== 'tls')) return false;
  const act = () => breakOff(fault.kind, socket);
  if (fault.at === 'accept') act();
  else socket.once('data', act);
  return true;
}

/**
 * Applies a fault to a request. `answer` is what would have been sent. Returns true if the request has been answered.
 */
export function spoilAnswer(fault: Fault, response: ServerResponse, answer: string, requestHeaders: object): boolean {
  const { socket } = response;
  switch (fault.kind) {
    case 'refuse':
      return false;
    case 'reset':
    case 'stall':
    case 'close':
      if (fault.at === 'headers') breakOff(fault.kind, socket);
      if (fault.at === 'body') {
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) });
        response.write(answer.slice(0, answer.length / 2), () => breakOff(fault.kind, socket));
      }
      return fault.at === 'headers' || fault.at === 'body';
    case 'status': {
      const retry: Record<string, string> =
        fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
      response.writeHead(fault.status, { 'Content-Type': 'text/plain', ...retry, ...fault.headers }).end('no');
      return true;
    }
    case 'html':
      response
        .writeHead(502, { 'Content-Type': 'text/html' })
        .end('<html><body><h1>502 Bad Gateway</h1>404 page not found</body></html>');
      return true;
    case 'body':
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(fault.body);
      return true;
    case 'raw':
      socket?.end(fault.bytes);
      return true;
    case 'echo':
      response.writeHead(400, { 'Content-Type': 'application/json' });
      response.end(
        JSON.stringify({
          kind: 'Status',
          message: `bad request: ${JSON.stringify(requestHeaders)}`,
          reason: 'BadRequest',
          code: 400,
        }),
      );
      return true;
    case 'last-answer':
      response.writeHead(200, { 'Content-Type': 'application/json', Connection: 'close' }).end(answer);
      return true;
    default:
      return fault satisfies never;
  }
}

function breakOff(kind: 'reset' | 'stall' | 'close', socket: Socket | null): void {
  if (kind === 'close') socket?.destroy();
  if (kind !== 'reset' || socket === null) return;
  // Only the socket below TLS can be reset.
  const below: unknown = Reflect.get(socket, '_parent');
  (below instanceof Socket ? below : socket).resetAndDestroy();
}
