import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { makeCertificateAuthority, type CertificateAuthority } from '../certificates/certificate-authority.ts';
import type { Certificate } from '../certificates/certificate.ts';
import { spoilAnswer, spoilConnection, type Fault, type FaultScope } from './fault.ts';
import { formatKubeconfig, type KubeconfigOptions } from './kubeconfig.ts';
import {
  forbidden,
  jsonPatchObject,
  patchObject,
  readObject,
  unauthorized,
  type Answer,
  type StoredObject,
} from './store.ts';

export interface LoopbackApiOptions {
  readonly nodes?: readonly object[];
  readonly pods?: readonly object[];
  /** The only token that is accepted. If it is absent, every request is accepted. */
  readonly token?: string;
  readonly account?: string;
  readonly scheme?: 'http' | 'https';
  /** The names in the server's certificate: by default every name of loopback. */
  readonly names?: readonly string[];
  readonly certificateEndsAt?: Date;
  readonly host?: '127.0.0.1' | '::1';
}

/** A request as it arrived, without its credentials. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly connection: number;
}

/**
 * An API server on loopback, with its own certificate authority. It stores pods and nodes, and shows any fault that a
 * test sets.
 */
export interface LoopbackApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly authority: CertificateAuthority;
  readonly clientCertificate: Certificate;
  readonly requests: readonly SeenRequest[];
  /** The number of connections so far. */
  readonly connections: number;
  pod(namespace: string, name: string): StoredObject | undefined;
  pods(): readonly StoredObject[];
  putPod(pod: object): void;
  putNode(node: object): void;
  deletePod(namespace: string, name: string): void;
  /** Sets the only token that is accepted from now on. */
  setToken(token: string): void;
  /** Sets the request that is rejected with 403 from now on: `{ verb: 'patch', resource: 'pods/status' }`. */
  forbid(what: { readonly verb: string; readonly resource: string } | undefined): void;
  /** Sets or ends a fault. Resolves when this has taken effect. */
  setFault(fault: Fault | undefined, scope?: FaultScope): Promise<void>;
  writeKubeconfig(path: string, options?: KubeconfigOptions): void;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startLoopbackApi(options: LoopbackApiOptions = {}): Promise<LoopbackApi> {
  const { scheme = 'https', host = '127.0.0.1', account = 'system:serviceaccount:kube-system:podwire' } = options;
  const authority = makeCertificateAuthority('loopback-ca');
  const server = authority.issue({
    commonName: 'loopback-api',
    subjectAlternativeNames: options.names ?? ['127.0.0.1', '::1', 'localhost', 'kubernetes.default.svc'],
    ...(options.certificateEndsAt && { notBefore: new Date(0), notAfter: options.certificateEndsAt }),
  });
  const clientCertificate = authority.issue({ commonName: account, organizations: ['system:nodes'] });

  const pods = new Map<string, StoredObject>();
  const nodes = new Map<string, StoredObject>();
  const requests: SeenRequest[] = [];
  const sockets = new Map<Socket, number>();
  let connections = 0;
  let version = 100;
  let token = options.token;
  let banned: { readonly verb: string; readonly resource: string } | undefined;
  let fault: Fault | undefined;
  let scope: FaultScope = {};
  let left = Number.POSITIVE_INFINITY;

  const putPod = (pod: object) =>
    put(pods, pod, { namespace: 'default', uid: `pod-uid-${version}`, resourceVersion: String(version++) });
  const putNode = (node: object) =>
    put(nodes, node, { uid: `node-uid-${version}`, resourceVersion: String(version++) });
  options.pods?.forEach(putPod);
  options.nodes?.forEach(putNode);

  const isAllowedIn = (request: IncomingMessage): boolean => {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) return true;
    return token === undefined || request.headers.authorization === `Bearer ${token}`;
  };
  const answerTo = (request: IncomingMessage, body: string): Answer | 'no such path' => {
    if (!isAllowedIn(request)) return unauthorized();
    const [path = '', query = ''] = (request.url ?? '').replace(/^\/base(?=\/)/, '').split('?');
    const verb = (request.method ?? '').toLowerCase();
    if (path === '/version') return { status: 200, body: { major: '1', minor: '36', gitVersion: 'v1.36.1' } };
    const [namespace = '', pod = '', subresource = ''] = partsOf(
      path,
      /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)(\/status)?$/,
    );
    const [node = ''] = partsOf(path, /^\/api\/v1\/nodes\/([^/]+)$/);
    const resource = pod !== '' ? `pods${subresource}` : 'nodes';
    if (banned?.verb === verb && banned.resource === resource)
      return forbidden(account, verb, resource, pod || node, namespace);
    if (verb === 'get' && pod !== '') return readObject(pods.get(`${namespace}/${pod}`), 'pods', pod);
    if (verb === 'get' && node !== '') return readObject(nodes.get(node), 'nodes', node);
    if (verb !== 'patch' || subresource === '') return 'no such path';
    const isJsonPatch = request.headers['content-type'] === 'application/json-patch+json';
    const apply = isJsonPatch ? jsonPatchObject : patchObject;
    const patched = apply(pods.get(`${namespace}/${pod}`), 'pods', pod, JSON.parse(body), String(version++));
    if (patched.changed && query !== 'dryRun=All') pods.set(`${namespace}/${pod}`, patched.changed);
    return patched;
  };
  const takeFault = (request: IncomingMessage): Fault | undefined => {
    const isMeant =
      (scope.method ?? request.method) === request.method && (request.url ?? '').includes(scope.path ?? '');
    return isMeant && left-- > 0 ? fault : undefined;
  };
  const respond = (request: IncomingMessage, body: string, response: ServerResponse) => {
    const carrier: unknown = Reflect.get(request.socket, '_parent') ?? request.socket;
    const connection = [...sockets].find(([socket]) => socket === carrier)?.[1] ?? 0;
    requests.push({ method: request.method ?? '', path: request.url ?? '', body, connection });
    const taken = takeFault(request);
    const isInstead = taken !== undefined && taken.kind !== 'last-answer' && !('at' in taken && taken.at === 'body');
    const answer = isInstead ? undefined : answerTo(request, body);
    const text = typeof answer === 'object' ? JSON.stringify(answer.body) : '{}';
    if (taken !== undefined && spoilAnswer(taken, response, text, request.headers)) return;
    if (typeof answer !== 'object')
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 page not found\n');
    else
      response
        .writeHead(answer.status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
        .end(text);
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => respond(request, Buffer.concat(chunks).toString(), response));
    request.on('error', () => undefined);
  };

  const tls = {
    key: server.keyPem,
    cert: server.certificatePem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const inner = scheme === 'https' ? createHttpsServer(tls, onRequest) : createHttpServer(onRequest);
  inner.on('tlsClientError', () => undefined);
  inner.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
  const listener = createNetServer((socket) => {
    sockets.set(socket, ++connections);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    if (fault !== undefined && left > 0 && spoilConnection(fault, socket)) left--;
    else inner.emit('connection', socket);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      const listening = () => {
        listener.off('error', reject);
        resolve();
      };
      listener.once('error', reject).listen(port, host, listening);
    });
  const hangUp = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets.keys()) socket.destroy();
      if (listener.listening) listener.close(() => resolve());
      else resolve();
    });
  await listen(0);
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `${scheme}://${host === '::1' ? '[::1]' : host}:${port}`;

  return {
    url,
    port,
    authority,
    clientCertificate,
    requests,
    get connections() {
      return connections;
    },
    pod: (namespace, name) => pods.get(`${namespace}/${name}`),
    pods: () => [...pods.values()],
    putPod,
    putNode,
    deletePod: (namespace, name) => void pods.delete(`${namespace}/${name}`),
    setToken: (next) => void (token = next),
    forbid: (what) => void (banned = what),
    async setFault(next, nextScope = {}) {
      fault = next;
      scope = nextScope;
      left = nextScope.times ?? Number.POSITIVE_INFINITY;
      if (next?.kind === 'refuse') await hangUp();
      else if (!listener.listening) await listen(port);
    },
    writeKubeconfig: (path, kubeconfigOptions = {}) => {
      const text = formatKubeconfig({ url, authority, clientCertificate, token }, kubeconfigOptions);
      writeFileSync(path, text, { mode: 0o600 });
    },
    [Symbol.asyncDispose]: hangUp,
  };
}

function partsOf(path: string, pattern: RegExp): readonly (string | undefined)[] {
  return (pattern.exec(path) ?? []).slice(1).map((part) => part && decodeURIComponent(part));
}

function put(
  objects: Map<string, StoredObject>,
  object: object,
  defaults: { namespace?: string; uid: string; resourceVersion: string },
): void {
  const given: unknown = Reflect.get(object, 'metadata');
  const metadata = { name: '', ...defaults, ...(typeof given === 'object' ? given : {}) };
  const key = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  objects.set(key, { apiVersion: 'v1', spec: {}, status: {}, ...object, metadata });
}
