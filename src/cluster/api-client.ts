import { pause } from '../system/pause.ts';
import { failedRequestError, type Purpose } from './api-error.ts';
import { ConnectError, startConnection, takesConnections } from './wire/connect.ts';
import { identifyConnection, type ApiConnection } from './credentials/connection.ts';
import { DeadlineError, startBudget, untilDeadline, type Deadline } from './wire/deadline.ts';
import { openHttpExchange, type HttpExchange, type HttpRequest } from './wire/http-exchange.ts';
import { HttpError, type HttpResponse } from './wire/http-response.ts';

/** One request. The connection adds the server and the credentials. */
export interface ApiRequest {
  readonly purpose: Purpose;
  /** Starts with `/api` or `/version`. */
  readonly path: string;
  readonly body?: ApiBody;
}

/** What a request sends. */
export interface ApiBody {
  readonly type: 'application/json' | 'application/strategic-merge-patch+json' | 'application/json-patch+json';
  readonly content: unknown;
}

/** A response, and the connection that it came over. */
export interface ApiAnswer {
  readonly response: HttpResponse;
  readonly connection: ApiConnection;
}

/** The part of a log that the client needs. */
export interface RequestLog {
  debug(message: string): void;
}

export interface ApiClientOptions {
  /** Reads how to connect. Called again when the token was refused, because a new one may be there. */
  readonly connect: () => Promise<ApiConnection> | ApiConnection;
  readonly budgets: { readonly apiConnectMs: number; readonly apiRequestMs: number };
  readonly log: RequestLog;
}

/** The server, and how podwire would connect to it. */
export interface ServerCheck {
  readonly isReachable: boolean;
  /** Equal for equal servers and credentials, and only for these. It reveals no secret. */
  readonly connectionId: string;
}

export interface ApiClient extends Disposable {
  /**
   * Checks whether the server accepts a TCP connection within the connect budget. Sends no request.
   *
   * @throws {CniError} what `connect` throws
   */
  checkServer(): Promise<ServerCheck>;
  /** Starts to connect, so that the next request does not have to wait for it. If that fails, the next request does, too. */
  connect(): void;
  /**
   * Sends a request, and sends it again if a second try can help.
   *
   * @throws {CniError} tryAgainLater (11) without a complete response in time, apiRefused (100) for a server that is
   *   not trusted, and whatever `connect` throws
   */
  send(request: ApiRequest, deadline: Deadline): Promise<ApiAnswer>;
}

/** One connection to the server, from the moment it is requested. */
interface Session {
  readonly connection: ApiConnection;
  readonly exchange: Promise<HttpExchange>;
  isOver(): boolean;
  abandon(): void;
}

/** Opens a client that sends requests to the API server over one connection. It connects with the first request. */
export function openApiClient({ connect, budgets, log }: ApiClientOptions): ApiClient {
  const sessions: Session[] = [];
  let current: Promise<Session> | undefined;

  const start = (connection?: ApiConnection): Promise<Session> => {
    const starting = (async () => {
      const session = startSession(connection ?? (await connect()), budgets);
      sessions.push(session);
      return session;
    })();
    // Waiters see the rejection; the next request reconnects.
    starting.catch(() => {
      if (current === starting) current = undefined;
    });
    return starting;
  };

  /** The session to use: a new one if the last one has ended, or if its token is the one that was refused. */
  const usableSession = async (refused: Session | undefined): Promise<Session> => {
    for (;;) {
      const starting = (current ??= start());
      const session = await starting;
      if (session !== refused && !session.isOver()) return session;
      // Otherwise another request has replaced it while this one waited.
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
        const waitMs = requestedWaitMs(response, Math.random());
        if (response.status === 401 && left.reread) {
          left.reread = false;
          refused = session;
        } else if (waitMs !== undefined && left.wait && waitMs + MIN_REQUEST_MS < deadline.remainingMs()) {
          left.wait = false;
          await pause(waitMs, deadline.signal);
        } else return { response, connection };
      } catch (error) {
        const isRepeatable = error instanceof HttpError && error.kind === 'unanswered';
        if (!isRepeatable || !left.reconnect) throw failedRequestError(connection, request.purpose, error);
        left.reconnect = false;
        log.debug(`API server ${connection.server.text} had closed the connection: reconnecting`);
      }
    }
  };

  return {
    checkServer: async () => {
      const connection = await connect();
      const isReachable = await takesConnections(connection.server, budgets.apiConnectMs);
      return { isReachable, connectionId: identifyConnection(connection) };
    },
    connect: () => {
      usableSession(undefined).catch(() => undefined);
    },
    send,
    [Symbol.dispose]: () => {
      for (const session of sessions) session.abandon();
      current?.then((session) => session.abandon()).catch(() => undefined);
    },
  };
}

function startSession(connection: ApiConnection, { apiConnectMs, apiRequestMs }: ApiClientOptions['budgets']): Session {
  // The handshake needs CPU time of the server, not only its kernel: on a busy machine it takes as long as a request.
  const pending = startConnection(connection, { connectMs: apiConnectMs, handshakeMs: apiRequestMs });
  let opened: HttpExchange | undefined;
  let hasFailed = false;
  const exchange = pending.ready.then((channel) => (opened = openHttpExchange(channel)));
  exchange.catch(() => (hasFailed = true));
  return {
    connection,
    exchange,
    isOver: () => hasFailed || opened?.isOpen() === false,
    abandon: () => {
      pending.abandon();
      opened?.close(new ConnectError('is no longer needed'));
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
  // Responses come in order: if one does not come, none after it can.
  const budget = startBudget(budgetMs, () => exchange.close(new ConnectError(`did not respond within ${budgetMs} ms`)));
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
  const method = METHODS[purpose.verb];
  if (body === undefined) return { method, path: target, headers };
  const typed = { ...headers, 'Content-Type': body.type };
  return { method, path: target, headers: typed, body: Buffer.from(JSON.stringify(body.content)) };
}

const METHODS = { get: 'GET', patch: 'PATCH', create: 'POST' } as const;

/**
 * How long the server asks to wait, plus up to half a second by `chance` (0 to 1), so that nodes which it turned away
 * together do not come back together.
 */
function requestedWaitMs({ status, headers }: HttpResponse, chance: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  // The API server writes whole seconds. A date would need two clocks that agree.
  const seconds = headers.get('retry-after') ?? '';
  return /^[0-9]{1,4}$/.test(seconds) ? Number(seconds) * 1000 + chance * SPREAD_MS : undefined;
}

const SPREAD_MS = 500;

/** The time that must remain after the wait for the request itself. */
const MIN_REQUEST_MS = 100;
