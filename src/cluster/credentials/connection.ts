import type { Environment } from '../../cni/environment.ts';
import { CniError, ERROR_CODE } from '../../cni/error.ts';
import { readConfiguredFile } from './configured-file.ts';
import {
  chooseSettings,
  isSet,
  isVerificationOff,
  type ConnectionConfig,
  type Setting,
  type Settings,
} from './connection-settings.ts';
import { readKubeconfig, type KubeconfigContext, type Source } from './kubeconfig.ts';
import { makeSecret, type Secret } from './secret.ts';
import { isLoopback, parseServerUrl, ServerUrlError, type ServerUrl } from '../wire/server-url.ts';

/** All that is needed to talk to one API server. Files have been read; secrets do not show when it is printed. */
export interface ApiConnection {
  readonly server: ServerUrl;
  /** What named the server, for messages: `the kubeconfig /etc/cni/net.d/podwire-kubeconfig`. */
  readonly serverSource: string;
  /** Undefined for http://. */
  readonly tls: TlsSettings | undefined;
  readonly token: Secret | undefined;
}

export interface TlsSettings {
  readonly verification: 'full' | 'off';
  /** PEM, and where it came from. Undefined: the roots that Node brings. */
  readonly certificateAuthority: Pem | undefined;
  readonly clientCertificate: { readonly certificate: Pem; readonly key: Secret } | undefined;
  /** The name that the server's certificate must have, where it is not the URL's host. */
  readonly serverName: string | undefined;
}

export interface Pem {
  readonly text: string;
  readonly source: string;
}

/**
 * How to reach the API server, from the network configuration, else from the environment, else from the pod that podwire
 * runs in. Reads the kubeconfig and the files that are named; does not talk to the server.
 *
 * @param serviceAccountFolder where a pod finds its own account
 * @throws {CniError} 7 for what cannot be used, 5 for a file that cannot be read, 4 for the environment's own faults
 */
export async function readConnection(
  configured: ConnectionConfig,
  environment: Environment,
  serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount',
): Promise<ApiConnection> {
  const settings = chooseSettings(configured, environment);
  refuseOtherDatastores(settings.datastoreType);
  const base = await readBase(settings, environment, serviceAccountFolder);
  const server = parseServer(settings.apiRoot, base);
  const token = readToken(settings.token, base);
  if (token !== undefined && !server.isEncrypted && !isLoopback(server)) {
    throw invalid(`${server.text} would get the token unencrypted: use https://, or an API server on this machine`);
  }
  return {
    server,
    serverSource: settings.apiRoot?.namedBy ?? base.namedBy,
    tls: server.isEncrypted ? readTlsSettings(settings, base, isVerificationOff(environment)) : undefined,
    token,
  };
}

/** What single settings then replace. */
interface Base {
  readonly context: Partial<KubeconfigContext>;
  readonly namedBy: string;
}

async function readBase(settings: Settings, environment: Environment, folder: string): Promise<Base> {
  const { kubeconfigPath, apiRoot } = settings;
  if (kubeconfigPath !== undefined) {
    const { value: path, namedBy } = kubeconfigPath;
    const contextName = environment['K8S_CURRENT_CONTEXT'];
    const context = await readKubeconfig(
      { path, what: 'kubeconfig', namedBy },
      isSet(contextName) ? contextName : undefined,
    );
    return { context, namedBy: `the kubeconfig ${path}` };
  }
  if (apiRoot !== undefined) return { context: {}, namedBy: apiRoot.namedBy };
  const host = environment['KUBERNETES_SERVICE_HOST'];
  if (!isSet(host)) throw nothingConfigured();
  const port = environment['KUBERNETES_SERVICE_PORT'];
  const context = {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${isSet(port) ? port : '443'}`,
    certificateAuthority: { kind: 'file', path: `${folder}/ca.crt` },
    token: { kind: 'file', path: `${folder}/token` },
  } as const;
  return { context, namedBy: 'the environment of a pod (KUBERNETES_SERVICE_HOST)' };
}

function refuseOtherDatastores(datastoreType: Setting | undefined): void {
  if (datastoreType === undefined || datastoreType.value === 'kubernetes') return;
  const { value, namedBy } = datastoreType;
  throw invalid(
    `${namedBy} is ${JSON.stringify(value.slice(0, 64))}: podwire knows only "kubernetes" (the Kubernetes API as datastore)`,
  );
}

function nothingConfigured(): CniError {
  const places = 'kubernetes.kubeconfig, kubernetes.k8s_api_root and policy.k8s_api_root in the network configuration';
  const others = 'KUBECONFIG, K8S_API_ENDPOINT and KUBERNETES_SERVICE_HOST in the environment';
  return invalid(`no API server is configured: looked at ${places}, and at ${others}; set kubernetes.kubeconfig`);
}

function parseServer(apiRoot: Setting | undefined, { context, namedBy }: Base): ServerUrl {
  const where = apiRoot?.namedBy ?? `the server in ${namedBy}`;
  const text = apiRoot?.value ?? context.server;
  if (text === undefined) throw invalid(`${where} is missing: https://ADDRESS:PORT of the API server is wanted`);
  try {
    return parseServerUrl(text);
  } catch (cause) {
    if (cause instanceof ServerUrlError) throw invalid(`${where} ${cause.message}: https://ADDRESS:PORT is wanted`);
    throw cause;
  }
}

function readToken(setting: Setting | undefined, base: Base): Secret | undefined {
  if (setting !== undefined) return parseToken(setting.value, setting.namedBy);
  const { token, userName } = base.context;
  if (token === undefined) return undefined;
  if (token.kind === 'inline') return parseToken(token.text, `user ${JSON.stringify(userName)} in ${base.namedBy}`);
  const file = { path: token.path, what: 'token file', namedBy: base.namedBy };
  return parseToken(readConfiguredFile(file), `the token file ${token.path}`);
}

function parseToken(text: string, source: string): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return makeSecret(token, source);
  throw invalid(`the token of ${source} has characters that no token has (a space, a line break, or not ASCII)`);
}

function readTlsSettings(settings: Settings, base: Base, isOff: boolean): TlsSettings {
  const { context } = base;
  const authority = isOff
    ? undefined
    : (fileOf(settings.certificateAuthorityPath) ?? sourceIn(base, context.certificateAuthority));
  const isOffInKubeconfig = context.isVerificationOff === true && settings.certificateAuthorityPath === undefined;
  if (isOffInKubeconfig && authority !== undefined) {
    throw invalid(`${base.namedBy} has both insecure-skip-tls-verify and a certificate authority: remove one of them`);
  }
  return {
    verification: isOff || isOffInKubeconfig ? 'off' : 'full',
    certificateAuthority: readPem(authority, 'certificate authority', 'CERTIFICATE'),
    clientCertificate: readClientCertificate(settings, base),
    serverName: context.serverName,
  };
}

function readClientCertificate(settings: Settings, base: Base): TlsSettings['clientCertificate'] {
  const certificateSource = fileOf(settings.clientCertificatePath) ?? sourceIn(base, base.context.clientCertificate);
  const keySource = fileOf(settings.clientKeyPath) ?? sourceIn(base, base.context.clientKey);
  const certificate = readPem(certificateSource, 'client certificate', 'CERTIFICATE');
  const key = readPem(keySource, 'client key', 'PRIVATE KEY');
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw invalid(`${base.namedBy} has a client key, but no client certificate`);
  if (key === undefined) throw invalid(`${base.namedBy} has a client certificate, but no client key`);
  return { certificate, key: makeSecret(key.text, key.source) };
}

interface NamedSource {
  readonly source: Source;
  readonly namedBy: string;
}

function fileOf(setting: Setting | undefined): NamedSource | undefined {
  return setting && { source: { kind: 'file', path: setting.value }, namedBy: setting.namedBy };
}

function sourceIn({ namedBy }: Base, source: Source | undefined): NamedSource | undefined {
  return source && { source, namedBy };
}

// Node ignores what is no PEM; the server's certificate would then be blamed.
function readPem(named: NamedSource | undefined, what: string, label: string): Pem | undefined {
  if (named === undefined) return undefined;
  const { source, namedBy } = named;
  const isFile = source.kind === 'file';
  const text = isFile ? readConfiguredFile({ path: source.path, what, namedBy }) : source.text;
  const where = isFile ? `the ${what} ${source.path}` : `the ${what} in ${namedBy}`;
  if (!new RegExp(`-----BEGIN ([A-Z]+ )*${label}-----`).test(text))
    throw invalid(`${where} is no PEM: "BEGIN ${label}" is wanted`);
  return { text, source: where };
}

function invalid(message: string): CniError {
  return new CniError(ERROR_CODE.invalidConfig, message);
}
