import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isAbsent, parseAnswer } from './api-answer.ts';
import { openApiClient, type ApiClient, type ApiClientOptions } from './api-client.ts';
import { parseStatus } from './api-error.ts';
import { readNode } from './cluster.ts';
import type { ApiConnection } from './credentials/connection.ts';
import type { Deadline } from './wire/deadline.ts';
import { parseFields, parseText, ShapeError } from './fields.ts';
import { pathPart, quoteName } from './object-name.ts';
import { makeSecret, type Secret } from './credentials/secret.ts';

/** Whose token, and which Node's: it dies with the Node object. */
export interface TokenRequest {
  readonly namespace: string;
  readonly account: string;
  readonly nodeName: string;
  /** The API server may give less. */
  readonly lifeSeconds: number;
}

export interface IssuedToken {
  readonly token: Secret;
  /** By the server's own clock, from the answer on. */
  readonly lifeMs: number;
  /** What it was issued over: a kubeconfig is made of the server and its certificate authority. */
  readonly connection: ApiConnection;
}

export interface TokenIssuer extends Disposable {
  /** @throws {CniError} 11 or 100 when the API server cannot or will not, 7 when it has no such node or account */
  issue(order: TokenRequest, deadline: Deadline): Promise<IssuedToken>;
}

/**
 * Issues tokens of service accounts, bound to a Node.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
export function openTokenIssuer(options: ApiClientOptions): TokenIssuer {
  const client = openApiClient(options);
  return {
    async issue(order, deadline) {
      const uid = await readNodeUid(client, order.nodeName, deadline);
      return requestToken(client, order, uid, deadline);
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

async function readNodeUid(client: ApiClient, name: string, deadline: Deadline): Promise<string> {
  const node = await readNode(client, name, deadline);
  if (node !== 'absent') return node.uid;
  throw missing(`the API server has no node ${quoteName(name)}: set KUBERNETES_NODE_NAME to the Node's name`);
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
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        expirationSeconds: lifeSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: nodeName, uid },
      },
    },
  } as const;
  const answer = await client.send(request, deadline);
  if (isAbsent(answer, account))
    throw missing(`there is no service account ${namespace}/${account}: apply cni-conf/rbac.yaml, which makes it`);
  if (answer.response.status === 422 && parseStatus(answer.response)?.causeFields.includes(BINDING) === true)
    throw missing('this API server binds no tokens to Nodes, which Kubernetes does from 1.31 on');
  const { token, expiresAt } = parseAnswer(answer, request, (value) => parseTokenRequest(value, object));
  return { token, lifeMs: expiresAt - answeredAt(answer.response.headers), connection: answer.connection };
}

const BINDING = 'spec.boundObjectRef.kind';

function parseTokenRequest(value: unknown, object: string): { token: Secret; expiresAt: number } {
  const status = parseFields(parseFields(value, 'the answer')['status'], 'status');
  const expiresAt = Date.parse(parseText(status['expirationTimestamp'], 'status.expirationTimestamp'));
  if (Number.isNaN(expiresAt)) throw new ShapeError('status.expirationTimestamp is no time');
  return { token: makeSecret(parseText(status['token'], 'status.token'), object), expiresAt };
}

// The server's clock, by which it judges the token. This machine's may be wrong by hours when it has just started.
function answeredAt(headers: ReadonlyMap<string, string>): number {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? Date.now() : date;
}

function missing(message: string): CniError {
  return new CniError(ERROR_CODE.invalidConfig, message);
}
