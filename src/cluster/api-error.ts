import { CniError, ERROR_CODE, type FindingNumber } from '../cni/error.ts';
import { openReader, type JsonSource } from '../json/json-reader.ts';
import { STRING } from '../json/shapes.ts';
import { ConnectError } from './wire/connect.ts';
import type { ApiConnection } from './credentials/connection.ts';
import { DeadlineError } from './wire/deadline.ts';
import { HttpError, type HttpResponse } from './wire/http-response.ts';
import { KernelError } from '../system/kernel-error.ts';
import { readTokenClaims } from './credentials/secret.ts';
import { explainTlsFailure } from './wire/tls-failure.ts';

/** No response came from the API server, so that no other request can succeed now either. */
export class ApiUnreachableError extends CniError {}

/** What a request is for, in the words of RBAC and in those of a message. */
export interface Purpose {
  readonly verb: 'get' | 'patch' | 'create';
  /** `pods`, `pods/status`, `nodes`, `serviceaccounts/token`, or `/version`, which everyone is permitted to read. */
  readonly resource: string;
  /** `pod default/web`. */
  readonly object: string;
}

/** The Status object with which the API responds if it does not fulfil a request. */
export interface ApiStatus {
  readonly message: string;
  readonly reason: string;
  readonly objectName: string | undefined;
  readonly causeFields: readonly string[];
}

/** Parses the Status in a response. Undefined if the response is something else, such as the page of a proxy. */
export function parseStatus({ body }: HttpResponse): ApiStatus | undefined {
  try {
    const status = openReader(JSON.parse(Buffer.from(body).toString('utf8')), STATUS);
    if (status.read('kind', STRING) !== 'Status') return undefined;
    const details = status.readObject('details');
    return {
      message: status.read('message', STRING) ?? '',
      reason: status.read('reason', STRING) ?? '',
      objectName: details.readUnlessZero('name', STRING),
      causeFields: details.readObjects('causes').map((cause) => cause.read('field', STRING) ?? ''),
    };
  } catch {
    return undefined;
  }
}

const STATUS: JsonSource = { quotesValues: false, error: (message) => new Error(message) };

/** Makes the error for a response whose status says that the API did not fulfil the request. */
export function refusedRequestError(connection: ApiConnection, purpose: Purpose, response: HttpResponse): CniError {
  const { status, headers } = response;
  const { text } = connection.server;
  const words = parseStatus(response)?.message ?? '';
  const details = `${status} ${text}${words === '' ? '' : `: ${words.slice(0, MAX_QUOTED)}`}`;
  const error = (code: number, message: string, finding: FindingNumber = 'PW201') =>
    apiError(connection, code, message, { details, finding });
  const request = `${purpose.verb} ${purpose.object}`;
  // An admission webhook answers with any status, and one that cannot be called with 500.
  const reason = words === '' ? '' : describeReason(words);
  if (status === 401) return error(ERROR_CODE.apiRefused, describeUnauthorized(connection), 'PW401');
  if (status === 403) {
    const finding = AUTHORIZER_REFUSAL.test(words) ? 'PW403' : 'PW404';
    return error(ERROR_CODE.apiRefused, describeForbidden(connection, purpose, words), finding);
  }
  if (status >= 300 && status < 400) {
    const location = JSON.stringify((headers.get('location') ?? '').slice(0, MAX_QUOTED));
    return error(
      ERROR_CODE.apiRefused,
      `API server ${text} redirects to ${location} (${status}) when asked to ${request}, ` +
        `which podwire does not follow: name the API server itself in ${connection.serverSource}`,
    );
  }
  if (status === 429) {
    return error(ERROR_CODE.tryAgainLater, `API server ${text} has too many requests to ${request} now (429)`);
  }
  if (status >= 500) {
    const finding = WEBHOOK_FAILURE.test(words) ? 'PW404' : 'PW201';
    return error(ERROR_CODE.tryAgainLater, `API server ${text} failed to ${request} (${status})${reason}`, finding);
  }
  if (status === 404) {
    return error(
      ERROR_CODE.apiRefused,
      `API server ${text} does not know the path to ${request} (404): ` +
        `check the server's URL in ${connection.serverSource}`,
    );
  }
  return error(ERROR_CODE.apiRefused, `API server ${text} refused to ${request} (${status})${reason}`, 'PW404');
}

/**
 * Makes the error for a request without a complete response, from whatever was thrown. Returns a CniError unchanged.
 */
export function failedRequestError(connection: ApiConnection, { verb, object }: Purpose, cause: unknown): CniError {
  if (cause instanceof CniError) return cause;
  const { text } = connection.server;
  const unavailableError = (why: string, details: string, inner?: unknown) =>
    apiError(
      connection,
      ERROR_CODE.tryAgainLater,
      `API server ${text} ${why} (to ${verb} ${object})`,
      { details: `${details} ${text}`, cause: inner, finding: 'PW201' },
      ApiUnreachableError,
    );
  if (cause instanceof ConnectError) return unavailableError(cause.message, 'connect');
  if (cause instanceof DeadlineError) return unavailableError(`did not respond: ${cause.message}`, 'deadline');
  // An HttpError quotes the server, and `cause` is not masked: the new `cause` is only the error of the socket.
  const fault = cause instanceof HttpError ? cause.cause : cause;
  const code = codeOf(fault);
  const tls = code === undefined ? undefined : explainTlsFailure(code, fault, connection);
  if (tls !== undefined) {
    const details = `${code} ${text}`;
    return apiError(
      connection,
      ERROR_CODE.apiRefused,
      tls,
      { details, cause: fault, finding: 'PW202' },
      ApiUnreachableError,
    );
  }
  if (cause instanceof HttpError) return unavailableError(cause.message, code ?? cause.kind, fault);
  return unavailableError(
    `${REASONS[code ?? ''] ?? 'cannot be reached'} (${code ?? 'unknown error'})`,
    code ?? 'unknown error',
    fault,
  );
}

// `code` is a member of a TlsError, and of the errors of node:dns.
function codeOf(fault: unknown): string | undefined {
  if (fault instanceof KernelError) return fault.errnoName;
  return fault instanceof Error && 'code' in fault ? String(fault.code) : undefined;
}

/** Makes the error for a complete response whose body is not the expected object. */
export function unexpectedResponseError(
  connection: ApiConnection,
  { verb, object }: Purpose,
  problem: string,
): CniError {
  const { text } = connection.server;
  return apiError(
    connection,
    ERROR_CODE.tryAgainLater,
    `API server ${text} gave an unexpected response to ${verb} ${object}: ${problem}`,
    { details: text, finding: 'PW201' },
  );
}

/**
 * Makes every error about the API: a server may echo the token, and containerd ignores errors that contain "not
 * found".
 */
function apiError(
  connection: ApiConnection,
  code: number,
  message: string,
  { details, cause, finding }: { details: string; cause?: unknown; finding: FindingNumber },
  ErrorClass: typeof CniError = CniError,
): CniError {
  const clean = (text: string) => {
    const token = connection.token?.reveal();
    const masked = token === undefined ? text : maskToken(text, token);
    return masked.replaceAll(/not\s+found/gi, 'absent');
  };
  return new ErrorClass(code, clean(message), { details: clean(details), cause, finding });
}

// The server's text has been cut before, so the end of an echoed token may be missing.
function maskToken(text: string, token: string): string {
  const start = token.slice(0, 12).replaceAll(/[^A-Za-z0-9]/g, '\\$&');
  return text.replaceAll(token, '(token)').replaceAll(new RegExp(`${start}[\\w.~+/=-]*`, 'g'), '(token)');
}

function describeUnauthorized({ server, token, tls }: ApiConnection): string {
  if (token !== undefined) {
    const { account, expiresAt } = readTokenClaims(token);
    const owner = account === undefined ? '' : `, of ${JSON.stringify(account)}`;
    const expiry =
      expiresAt === undefined
        ? ''
        : `, which ${expiresAt.getTime() < Date.now() ? 'expired' : 'expires'} at ${expiresAt.toISOString()}`;
    const described = `${token.source}${owner}${expiry}`;
    return `API server ${server.text}: the token was refused (401): ${described}: ${remedyForToken(token.source)}`;
  }
  const certificate = tls?.clientCertificate?.certificate;
  if (certificate !== undefined) {
    return `API server ${server.text}: the client certificate was refused (401): ${certificate.source}`;
  }
  return `API server ${server.text}: neither a token nor a client certificate is configured, and it requires one (401)`;
}

// The program that wrote the kubeconfig renews its token: a token that is put there by hand hides the cause for a day.
function remedyForToken(source: string): string {
  if (source.endsWith('/podwire-kubeconfig')) {
    return (
      'the container "token" of this node\'s podwire pod should have renewed it, and its log says why it did not; ' +
      'without the DaemonSet, put a new token there'
    );
  }
  if (source.endsWith('/calico-kubeconfig')) {
    return 'calico-node on this node should have renewed it, and its log says why it did not';
  }
  return 'put a new token there';
}

/**
 * RBAC and the other authorizers name the user, and what it cannot do. A 403 can also come from an admission webhook, an
 * admission policy, or a proxy: for these, only their own words help.
 */
function describeForbidden({ server }: ApiConnection, { verb, resource, object }: Purpose, words: string): string {
  const [, user, kind] = AUTHORIZER_REFUSAL.exec(words) ?? [];
  if (user === undefined) return `API server ${server.text} refused to ${verb} ${object} (403)${describeReason(words)}`;
  const refusal = `API server ${server.text}: ${JSON.stringify(user)} is not permitted to ${verb} ${resource} (403)`;
  return kind === 'path'
    ? `${refusal}: bind the cluster role system:public-info-viewer, which grants it and by default is bound to everyone`
    : `${refusal}: ${remedyForAccount(user)}`;
}

/** The manifests name accounts of kube-system: to apply them helps no other account. */
function remedyForAccount(user: string): string {
  const [, name] = /^system:serviceaccount:kube-system:(.+)$/.exec(user) ?? [];
  if (name === 'podwire' || name === 'podwire-installer') return 'apply cni-conf/rbac.yaml, which grants it';
  if (name === 'podwire-uninstall') return 'apply cni-conf/rendered/uninstall.yaml, which grants it';
  if (name === 'calico-cni-plugin') return 'restore the ClusterRole calico-cni-plugin of Calico, which grants it';
  return 'grant it to this account, as cni-conf/rbac.yaml does for the account podwire';
}

// `pods "web" is forbidden: User "u" cannot get resource "pods" in …`, or `forbidden: User "u" cannot get path "/version"`.
const AUTHORIZER_REFUSAL = /^(?:\S+ (?:"[^"]*" )?is )?forbidden: User "([^"]{1,256})" cannot \S+ (resource|path) /;

// `Internal error occurred: failed calling webhook "w": …`, of a webhook that does not answer.
const WEBHOOK_FAILURE = /failed calling webhook|failed to call webhook/;

function describeReason(words: string): string {
  if (words === '') return ' without a reason; something in front of it, such as a proxy, may have answered';
  return `: ${JSON.stringify(words.slice(0, MAX_QUOTED))}`;
}

const MAX_QUOTED = 300;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'reset the connection',
  EPIPE: 'closed the connection',
  EHOSTUNREACH: 'cannot be reached: there is no route to it',
  ENETUNREACH: 'cannot be reached: there is no route to its network',
  ETIMEDOUT: 'cannot be reached: nothing answers at its address',
  ENOTFOUND: 'cannot be reached: its name is unknown to DNS',
  EAI_AGAIN: 'cannot be reached: DNS does not answer',
  EMFILE: 'cannot be reached: too many open files in this process',
  ENFILE: 'cannot be reached: too many open files on this machine',
};
