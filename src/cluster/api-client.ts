import { failedRequest, type Purpose } from './api-error.ts';
import { ConnectError, connectSocket, takesConnections } from './wire/connect-socket.ts';
import type { ApiConnection } from './credentials/connection.ts';
import { DeadlineError, pause, startBudget, untilDeadline, type Deadline } from './wire/deadline.ts';
import { openHttpExchange, type HttpExchange, type HttpRequest } from './wire/http-exchange.ts';
import { HttpError, type HttpResponse } from './wire/http-response.ts';

/** One request, without what the connection adds to it. */
export interface ApiRequest {
  readonly purpose: Purpose;
  /** From `/api` or `/version` on. */
  readonly path: string;
  /** Of `patch`: a strategic merge patch. Of `create`: the object. */
  readonly body?: unknown;
}

/** An answer, and the connection whose token and server it speaks of. */
export interface ApiAnswer {
  readonly response: HttpResponse;
  readonly connection: ApiConnection;
}

/** The part of a log that this needs. */
export interface RequestLog {
  debug(message: string): void;
}

export interface ApiClientOptions {
  /** Reads the connection; called again when the token was refused. */
  readonly connect: () => Promise<ApiConnection> | ApiConnection;
  readonly budgets: { readonly apiConnectMs: number; readonly apiRequestMs: number };
  readonly log: RequestLog;
}

export interface ApiClient extends Disposable {
  /** Whether the server takes TCP connections, within the connect budget. Nothing is asked of it. */
  isReachable(): Promise<boolean>;
  /** @throws {CniError} 11 when there is no whole answer in time; what `connect` throws; 100 for a server that is not trusted */
  send(request: ApiRequest, deadline: Deadline): Promise<ApiAnswer>;
}

/** One connection to the server, from its beginning. */
interface Session {
  readonly connection: ApiConnection;
  readonly exchange: Promise<HttpExchange>;
  isOver(): boolean;
  abandon(): void;
}

/** Sends requests to the API server over one connection, and once more where a second try can help. */
export function openApiClient({ connect, budgets, log }: ApiClientOptions): ApiClient {
  const sessions: Session[] = [];
  let current: Promise<Session> | undefined;

  const start = (connection?: ApiConnection): Promise<Session> => {
    const starting = (async () => {
      const session = startSession(connection ?? (await connect()), budgets);
      sessions.push(session);
      return session;
    })();
    // Told to whoever waits for it; the next request tries anew.
    starting.catch(() => {
      if (current === starting) current = undefined;
    });
    return starting;
  };

  /** The session to use: a new one where the last has ended, or where its token is the one that was refused. */
  const usableSession = async (refused: Session | undefined): Promise<Session> => {
    for (;;) {
      const starting = (current ??= start());
      const session = await starting;
      if (session !== refused && !session.isOver()) return session;
      // Else another request has replaced it while this one waited.
      if (current === starting) current = start(session === refused ? undefined : session.connection);
    }
  };

  const send = async (request: ApiRequest, deadline: Deadline): Promise<ApiAnswer> => {
    const left = { reconnect: request.purpose.verb === 'get', reread: true, wait: true };
    const { verb, object } = request.purpose;
    let refused: Session | undefined;
    for (;;) {
      const session = await usableSession(refused);
      const { connection } = session;
      try {
        const response = await exchangeOnce(session, request, budgets.apiRequestMs, deadline);
        log.debug(`API server ${connection.server.text}: ${verb} ${object}: ${response.status}`);
        const waitMs = retryAfterMs(response, Math.random());
        if (response.status === 401 && left.reread) {
          left.reread = false;
          refused = session;
        } else if (waitMs !== undefined && left.wait && waitMs + MIN_REQUEST_MS < deadline.remainingMs()) {
          left.wait = false;
          await pause(waitMs, deadline);
        } else return { response, connection };
      } catch (error) {
        const isRepeatable = error instanceof HttpError && error.kind === 'unanswered';
        if (!isRepeatable || !left.reconnect) throw failedRequest(connection, request.purpose, error);
        left.reconnect = false;
        log.debug(`API server ${connection.server.text} had closed the connection: connecting again`);
      }
    }
  };

  return {
    isReachable: async () => takesConnections((await connect()).server, budgets.apiConnectMs),
    send,
    [Symbol.dispose]: () => {
      for (const session of sessions) session.abandon();
      current?.then((session) => session.abandon()).catch(() => undefined);
    },
  };
}

function startSession(connection: ApiConnection, { apiConnectMs, apiRequestMs }: ApiClientOptions['budgets']): Session {
  // The handshake needs the server's CPU, not only its kernel: on a busy machine it takes as long as a request.
  const pending = connectSocket(connection, { connectMs: apiConnectMs, handshakeMs: apiRequestMs });
  let opened: HttpExchange | undefined;
  let hasFailed = false;
  const exchange = pending.ready.then((socket) => (opened = openHttpExchange(socket)));
  exchange.catch(() => (hasFailed = true));
  return {
    connection,
    exchange,
    isOver: () => hasFailed || opened?.isOpen() === false,
    abandon: () => {
      pending.abandon();
      opened?.close(new ConnectError('is no longer wanted'));
    },
  };
}

async function exchangeOnce(
  session: Session,
  request: ApiRequest,
  budgetMs: number,
  deadline: Deadline,
): Promise<HttpResponse> {
  const exchange = await untilDeadline(session.exchange, deadline);
  const answer = exchange.send(httpRequest(request, session.connection));
  // Answers come in order: where one does not come, none behind it can.
  const budget = startBudget(budgetMs, () => exchange.close(new ConnectError(`gave no answer within ${budgetMs} ms`)));
  try {
    return await untilDeadline(answer, deadline);
  } catch (error) {
    if (error instanceof DeadlineError) exchange.close(error);
    throw error;
  } finally {
    budget[Symbol.dispose]();
  }
}

function httpRequest({ purpose, path, body }: ApiRequest, { server, token }: ApiConnection): HttpRequest {
  const headers = {
    Host: server.authority,
    'User-Agent': 'podwire',
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    ...(token && { Authorization: `Bearer ${token.reveal()}` }),
  };
  const target = `${server.basePath}${path}`;
  if (purpose.verb === 'get') return { method: 'GET', path: target, headers };
  const { method, type } = BODIES[purpose.verb];
  return {
    method,
    path: target,
    headers: { ...headers, 'Content-Type': type },
    body: Buffer.from(JSON.stringify(body)),
  };
}

const BODIES = {
  patch: { method: 'PATCH', type: 'application/strategic-merge-patch+json' },
  create: { method: 'POST', type: 'application/json' },
} as const;

/**
 * How long the server asks to wait, and up to half a second more by `chance` (0 to 1): the nodes that it turned away together are not to come
 * back together.
 */
function retryAfterMs({ status, headers }: HttpResponse, chance: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  // Whole seconds, as the API server writes it; a date would need two clocks that agree.
  const seconds = headers.get('retry-after') ?? '';
  return /^[0-9]{1,4}$/.test(seconds) ? Number(seconds) * 1000 + chance * SPREAD_MS : undefined;
}

const SPREAD_MS = 500;

/** Less than this after the wait would leave no time for the request itself. */
const MIN_REQUEST_MS = 100;
