import { CniError, ERROR_CODE } from '../cni/error.ts';
import { ConnectError } from './wire/connect-socket.ts';
import type { ApiConnection } from './credentials/connection.ts';
import { DeadlineError } from './wire/deadline.ts';
import { HttpError, type HttpResponse } from './wire/http-response.ts';
import { parseFields, parseOptionalFields, parseOptionalText } from './fields.ts';
import { readTokenClaims } from './credentials/secret.ts';
import { explainTlsFailure } from './wire/tls-failure.ts';

/** What is asked for, as RBAC calls it and as a person does. */
export interface Purpose {
  readonly verb: 'get' | 'patch' | 'create';
  /** `pods`, `pods/status`, `nodes`, `serviceaccounts/token`; `/version` is what everybody may read. */
  readonly resource: string;
  /** `pod default/web`. */
  readonly object: string;
}

/** The Status object that the API answers with when it does not do what it was asked. */
export interface ApiStatus {
  readonly message: string;
  readonly reason: string;
  readonly objectName: string | undefined;
  readonly causeFields: readonly string[];
}

/** The answer's Status, or undefined when it is something else (a proxy's page). */
export function parseStatus({ body }: HttpResponse): ApiStatus | undefined {
  try {
    const status = parseFields(JSON.parse(Buffer.from(body).toString('utf8')), 'the answer');
    if (status['kind'] !== 'Status') return undefined;
    const details = parseOptionalFields(status['details'], 'details');
    const causes: readonly unknown[] = Array.isArray(details['causes']) ? details['causes'] : [];
    return {
      message: parseOptionalText(status['message'], 'message') ?? '',
      reason: parseOptionalText(status['reason'], 'reason') ?? '',
      objectName: parseOptionalText(details['name'], 'details.name'),
      causeFields: causes.map((cause) => parseOptionalText(parseFields(cause, 'cause')['field'], 'field') ?? ''),
    };
  } catch {
    return undefined;
  }
}

/** The error for an answer that is neither what was asked for nor an ordinary no. */
export function refusedAnswer(connection: ApiConnection, purpose: Purpose, response: HttpResponse): CniError {
  const { status, headers } = response;
  const { text } = connection.server;
  const words = parseStatus(response)?.message ?? '';
  const details = `${status} ${text}${words === '' ? '' : `: ${words.slice(0, MAX_QUOTED)}`}`;
  const error = (code: number, message: string) => apiError(connection, code, message, { details });
  const asked = `${purpose.verb} ${purpose.object}`;
  if (status === 401) return error(ERROR_CODE.apiRefused, unauthorized(connection));
  if (status === 403) return error(ERROR_CODE.apiRefused, forbidden(connection, purpose, words));
  if (status >= 300 && status < 400) {
    const location = JSON.stringify((headers.get('location') ?? '').slice(0, MAX_QUOTED));
    return error(
      ERROR_CODE.apiRefused,
      `API server ${text} redirects to ${location} (${status}) when asked to ${asked}, which podwire does not follow: name the API server itself in ${connection.serverSource}`,
    );
  }
  if (status === 429)
    return error(ERROR_CODE.tryAgainLater, `API server ${text} has too many requests to ${asked} now (429)`);
  if (status >= 500) return error(ERROR_CODE.tryAgainLater, `API server ${text} failed to ${asked} (${status})`);
  if (status === 404) {
    return error(
      ERROR_CODE.apiRefused,
      `API server ${text} does not know the path to ${asked} (404): check the server's URL in ${connection.serverSource}`,
    );
  }
  return error(ERROR_CODE.apiRefused, `API server ${text} refused to ${asked} (${status})`);
}

/** The error for a request that got no whole answer, whatever was thrown. A CniError stays as it is. */
export function failedRequest(connection: ApiConnection, { verb, object }: Purpose, cause: unknown): CniError {
  if (cause instanceof CniError) return cause;
  const { text } = connection.server;
  const asked = `${verb} ${object}`;
  const unavailable = (why: string, details: string, inner?: unknown) =>
    apiError(connection, ERROR_CODE.tryAgainLater, `API server ${text} ${why} (to ${asked})`, {
      details: `${details} ${text}`,
      cause: inner,
    });
  if (cause instanceof ConnectError) return unavailable(cause.message, 'connect');
  if (cause instanceof DeadlineError) return unavailable(`gave no answer: ${cause.message}`, 'deadline');
  // An HttpError quotes the server, so it is not handed on as `cause`, which nobody masks: only what the socket said is.
  const fault = cause instanceof HttpError ? cause.cause : cause;
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : undefined;
  const tls = code === undefined ? undefined : explainTlsFailure(code, fault, connection);
  if (tls !== undefined)
    return apiError(connection, ERROR_CODE.apiRefused, tls, { details: `${code} ${text}`, cause: fault });
  if (cause instanceof HttpError) return unavailable(cause.message, code ?? cause.kind, fault);
  return unavailable(
    `${REASONS[code ?? ''] ?? 'cannot be reached'} (${code ?? 'unknown error'})`,
    code ?? 'unknown error',
    fault,
  );
}

/** The error for a whole answer that is not what it should be. */
export function unexpectedResponse(connection: ApiConnection, { verb, object }: Purpose, problem: string): CniError {
  const { text } = connection.server;
  return apiError(
    connection,
    ERROR_CODE.tryAgainLater,
    `API server ${text} gave a strange answer to ${verb} ${object}: ${problem}`,
    { details: text },
  );
}

/** Every message of the API goes through here: a server may echo the token, and containerd swallows "not found". */
function apiError(
  connection: ApiConnection,
  code: number,
  message: string,
  { details, cause }: { details: string; cause?: unknown },
): CniError {
  const clean = (text: string) => {
    const token = connection.token?.reveal();
    const masked = token === undefined ? text : maskToken(text, token);
    return masked.replaceAll(/not\s+found/gi, 'absent');
  };
  return new CniError(code, clean(message), { details: clean(details), cause });
}

// What a server says is cut before it comes here, so the end of an echoed token may be missing.
function maskToken(text: string, token: string): string {
  const start = token.slice(0, 12).replaceAll(/[^A-Za-z0-9]/g, '\\$&');
  return text.replaceAll(token, '(token)').replaceAll(new RegExp(`${start}[\\w.~+/=-]*`, 'g'), '(token)');
}

function unauthorized({ server, token, tls }: ApiConnection): string {
  if (token !== undefined) {
    const { account, expiresAt } = readTokenClaims(token);
    const owner = account === undefined ? '' : `, of ${JSON.stringify(account)}`;
    const expiry =
      expiresAt === undefined
        ? ''
        : `, which ${expiresAt.getTime() < Date.now() ? 'expired' : 'expires'} at ${expiresAt.toISOString()}`;
    return `API server ${server.text}: the token was refused (401): ${token.source}${owner}${expiry}: put a new token there`;
  }
  const certificate = tls?.clientCertificate?.certificate;
  if (certificate !== undefined)
    return `API server ${server.text}: the client certificate was refused (401): ${certificate.source}`;
  return `API server ${server.text}: neither a token nor a client certificate is configured, and it wants one (401)`;
}

function forbidden({ server }: ApiConnection, { verb, resource }: Purpose, words: string): string {
  const [, user] = /User "([^"]{1,256})"/.exec(words) ?? [];
  const account = user === undefined ? 'the account' : JSON.stringify(user);
  return `API server ${server.text}: ${account} may not ${verb} ${resource} (403): apply cni-conf/rbac.yaml, which grants it`;
}

const MAX_QUOTED = 300;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'reset the connection',
  EPIPE: 'closed the connection',
  EHOSTUNREACH: 'cannot be reached: no route to it',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ETIMEDOUT: 'cannot be reached: nothing answers there',
  ENOTFOUND: 'cannot be reached: its name is unknown to DNS',
  EAI_AGAIN: 'cannot be reached: DNS does not answer',
  EMFILE: 'cannot be reached: too many open files in this process',
  ENFILE: 'cannot be reached: too many open files on this machine',
};
