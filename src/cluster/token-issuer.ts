import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { JsonReader } from '../json/json-reader.ts';
import { NON_EMPTY_STRING, type Shape } from '../json/shapes.ts';
import { isAbsent, parseAnswer } from './api-answer.ts';
import { openApiClient, type ApiClient, type ApiClientOptions } from './api-client.ts';
import { parseStatus } from './api-error.ts';
import { readNode } from './cluster.ts';
import type { ApiConnection } from './credentials/connection.ts';
import type { Deadline } from './wire/deadline.ts';
import { pathPart, quoteName } from './object-name.ts';
import { makeSecret, type Secret } from './credentials/secret.ts';

/** A token to request: of a service account, and bound to a Node. It expires when the Node object is deleted. */
export interface TokenRequest {
  readonly namespace: string;
  readonly account: string;
  readonly nodeName: string;
  /** The API server may shorten it. */
  readonly lifeSeconds: number;
}

export interface IssuedToken {
  readonly token: Secret;
  /** From the response on, measured by the server's clock. */
  readonly lifeMs: number;
  /** The connection over which it was issued. A kubeconfig needs its server and certificate authority. */
  readonly connection: ApiConnection;
}

export interface TokenIssuer extends Disposable {
  /**
   * Issues a token.
   *
   * @throws {CniError} tryAgainLater (11) or apiRefused (100) if the API server fails or refuses, invalidConfig (7)
   *   if it has no such Node or account
   */
  issue(token: TokenRequest, deadline: Deadline): Promise<IssuedToken>;
}

/**
 * Opens an issuer of service account tokens that are bound to a Node.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
export function openTokenIssuer(options: ApiClientOptions): TokenIssuer {
  const client = openApiClient(options);
  return {
    async issue(token, deadline) {
      const uid = await readNodeUid(client, token.nodeName, deadline);
      return requestToken(client, token, uid, deadline);
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

async function readNodeUid(client: ApiClient, name: string, deadline: Deadline): Promise<string> {
  const node = await readNode(client, name, deadline);
  if (node !== 'absent') return node.uid;
  throw invalidConfigError(
    `the API server has no node ${quoteName(name)}: set KUBERNETES_NODE_NAME to the Node's name`,
  );
}

async function requestToken(
  client: ApiClient,
  { namespace, account, nodeName, lifeSeconds }: TokenRequest,
  uid: string,
  deadline: Deadline,
): Promise<IssuedToken> {
  const object = `a token of service account ${quoteName(namespace)}/${quoteName(account)}`;
  const request = {
    purpose: { verb: 'create', resource: 'serviceaccounts/token', object },
    path: `/api/v1/namespaces/${pathPart(namespace)}/serviceaccounts/${pathPart(account)}/token`,
    body: {
      type: 'application/json',
      content: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: lifeSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: nodeName, uid },
        },
      },
    },
  } as const;
  const answer = await client.send(request, deadline);
  if (isAbsent(answer, account)) {
    throw invalidConfigError(
      `the service account ${namespace}/${account} does not exist: ` +
        (namespace === 'kube-system' && account === 'podwire'
          ? 'apply cni-conf/rbac.yaml, which creates it'
          : 'create it, or set CALICO_CNI_SERVICE_ACCOUNT to the account of the plugin'),
    );
  }
  if (answer.response.status === 422 && parseStatus(answer.response)?.causeFields.includes(BINDING) === true) {
    throw invalidConfigError('this API server does not bind tokens to Nodes; it must be Kubernetes 1.31 or later');
  }
  const { token, expiresAtMs } = parseAnswer(answer, request, (issued) => parseIssuedToken(issued, object));
  return { token, lifeMs: expiresAtMs - serverTimeMs(answer.response.headers), connection: answer.connection };
}

const BINDING = 'spec.boundObjectRef.kind';

function parseIssuedToken(issued: JsonReader, source: string): { token: Secret; expiresAtMs: number } {
  const status = issued.requireObject('status');
  return {
    token: makeSecret(status.require('token', NON_EMPTY_STRING), source),
    expiresAtMs: status.require('expirationTimestamp', TIME_MS),
  };
}

/** A time in ISO 8601, as milliseconds since 1970. */
const TIME_MS: Shape<number> = {
  expected: 'a time such as "2026-01-31T12:00:00Z"',
  parse: (value) => {
    const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(timeMs) ? undefined : timeMs;
  },
};

// The server checks the token by its own clock. The clock of this machine may be hours off when it has just started.
function serverTimeMs(headers: ReadonlyMap<string, string>): number {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? Date.now() : date;
}

function invalidConfigError(message: string): CniError {
  return new CniError(ERROR_CODE.invalidConfig, message);
}
