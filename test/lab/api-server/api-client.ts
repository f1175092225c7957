import { Agent, request as httpsRequest } from 'node:https';

/** The error for a response whose status is not 2xx. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: unknown;

  constructor(request: string, status: number, body: unknown) {
    super(`${request}: ${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
  }
}

export interface ApiCredentials {
  /** PEM. */
  readonly certificateAuthority: string;
  readonly token?: string;
  readonly certificatePem?: string;
  readonly keyPem?: string;
}

/**
 * Requests to a Kubernetes API. Each returns the parsed body of a response with 2xx, and throws {@link ApiError} for
 * any other.
 */
export interface ApiClient extends Disposable {
  get(path: string): Promise<unknown>;
  create(path: string, body: unknown): Promise<unknown>;
  /** A JSON merge patch, RFC 7386. */
  patch(path: string, body: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown>;
}

const REQUEST_TIMEOUT_MS = 30_000;

/** A client with one kept-alive connection pool, closed when it is disposed of. */
export function makeApiClient(server: string, credentials: ApiCredentials): ApiClient {
  const agent = new Agent({
    keepAlive: true,
    ca: credentials.certificateAuthority,
    ...(credentials.certificatePem !== undefined && { cert: credentials.certificatePem }),
    ...(credentials.keyPem !== undefined && { key: credentials.keyPem }),
  });
  const authorization = credentials.token === undefined ? {} : { authorization: `Bearer ${credentials.token}` };

  const request: ApiClient['request'] = (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = { ...authorization, accept: 'application/json', 'content-type': contentType };
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const outgoing = httpsRequest(new URL(path, server), { method, agent, headers, signal }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          const parsed = parseBody(text);
          if (status >= 200 && status < 300) resolve(parsed);
          else reject(new ApiError(`${method} ${path}`, status, parsed));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });

  return {
    request,
    get: (path) => request('GET', path),
    create: (path, body) => request('POST', path, body),
    patch: (path, body) => request('PATCH', path, body, 'application/merge-patch+json'),
    delete: (path) => request('DELETE', path),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Returns text that is not JSON unchanged: /readyz and some errors answer in plain text. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
