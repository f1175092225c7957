import type { Channel } from './channel.ts';
import { createResponseReader, HttpError, type HttpResponse } from './http-response.ts';

/** A complete request. Path and header values contain only printable ASCII. */
export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Sends requests over one connection, and matches the responses, which come in the same order. */
export interface HttpExchange {
  /**
   * Sends a request. Requests of one turn of the event loop are sent in one write.
   *
   * @throws {HttpError} if no response to it can arrive
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  isOpen(): boolean;
  /** Ends the connection. Requests without a response are rejected with the error. */
  close(error: Error): void;
}

/** Opens an exchange of HTTP/1.1 over a connection, which it then owns. */
export function openHttpExchange(channel: Channel): HttpExchange {
  const waiting: PromiseWithResolvers<HttpResponse>[] = [];
  const outgoing: Uint8Array[] = [];
  const reader = createResponseReader();
  let answeredCount = 0;
  let closedBy: Error | undefined;

  const close = (error: Error) => {
    if (closedBy !== undefined) return;
    closedBy = error;
    channel.close();
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  const receive = (chunk: Buffer) => {
    try {
      for (const { response, isLast } of reader.push(chunk)) {
        const asked = waiting.shift();
        if (asked === undefined) throw new HttpError('malformed', 'sent a response without a request');
        answeredCount++;
        asked.resolve(response);
        if (isLast) return close(new HttpError('unanswered', 'closed the connection'));
      }
    } catch (error) {
      close(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const ended = (cause?: unknown) => {
    if (reader.isInsideResponse()) {
      close(new HttpError('truncated', 'closed the connection in the middle of a response', { cause }));
    } else if (answeredCount > 0) {
      close(new HttpError('unanswered', 'closed the connection', { cause }));
    } else {
      close(new HttpError('closed', 'closed the connection without a response', { cause }));
    }
  };
  const flush = () => {
    const bytes = Buffer.concat(outgoing.splice(0));
    if (closedBy === undefined) channel.send(bytes);
  };
  channel.listen({ received: receive, ended });

  return {
    send(request) {
      if (closedBy !== undefined) return Promise.reject(closedBy);
      const bytes = formatRequest(request);
      const answer = Promise.withResolvers<HttpResponse>();
      waiting.push(answer);
      if (outgoing.push(bytes) === 1) queueMicrotask(flush);
      return answer.promise;
    },
    isOpen: () => closedBy === undefined,
    close,
  };
}

/**
 * Formats a request as bytes.
 *
 * @throws {TypeError} for characters with which the server would read another request
 */
export function formatRequest({ method, path, headers, body }: HttpRequest): Uint8Array {
  const length: Record<string, string> = body === undefined ? {} : { 'Content-Length': String(body.length) };
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}`);
  // The messages do not quote values: one of them is the token.
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new TypeError('a request path has invalid characters');
  if (!lines.every((line) => /^[A-Za-z-]+: [\x20-\x7e]+$/.test(line))) {
    throw new TypeError('a request header is not printable ASCII');
  }
  const head = Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
  return body === undefined ? head : Buffer.concat([head, body]);
}
