import type { Environment } from '../../cni/environment.ts';
import { CniError, ERROR_CODE } from '../../cni/error.ts';
import { sha1 } from '../../system/sha1.ts';
import type { ConnectionSettings } from '../../netconf/network-config.ts';
import { isLoopback, parseServerUrl, ServerUrlError, type ServerUrl } from '../wire/server-url.ts';
import { readConfiguredFile } from './configured-file.ts';
import {
  chooseSettings,
  isSet,
  isVerificationOff,
  type ChosenSetting,
  type ChosenSettings,
} from './connection-settings.ts';
import { readKubeconfig, type KubeconfigContext, type TextSource } from './kubeconfig.ts';
import { makeSecret, type Secret } from './secret.ts';

/** How to connect to one API server. All files have been read. Printing it does not show its secrets. */
export interface ApiConnection {
  readonly server: ServerUrl;
  /** Where the server is configured, for messages: `the kubeconfig /etc/cni/net.d/podwire-kubeconfig`. */
  readonly serverSource: string;
  /** Undefined for http://. */
  readonly tls: TlsSettings | undefined;
  readonly token: Secret | undefined;
}

export interface TlsSettings {
  readonly verification: 'full' | 'off';
  /** Undefined: the root certificates that are built into Node.js. */
  readonly certificateAuthority: Pem | undefined;
  readonly clientCertificate: { readonly certificate: Pem; readonly key: Secret } | undefined;
  /** The name that the server's certificate must have, if it is not the host of the URL. */
  readonly serverName: string | undefined;
}

/** Certificates in PEM, and where they came from. */
export interface Pem {
  readonly text: string;
  readonly source: string;
}

/**
 * Reads how to connect to the API server: from the network configuration, otherwise from the environment, otherwise
 * from the pod in which podwire runs. It reads the kubeconfig and the files that are named; it does not connect.
 *
 * @param serviceAccountFolder the folder with the token and the certificate authority of a pod's service account
 * @throws {CniError} invalidConfig (7) for invalid settings, inputOutput (5) for a file that cannot be read,
 *   invalidEnvironment (4) for an invalid variable
 */
export async function readConnection(
  connectionSettings: ConnectionSettings,
  environment: Environment,
  serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount',
): Promise<ApiConnection> {
  const chosen = chooseSettings(connectionSettings, environment);
  assertKubernetesDatastore(chosen.datastoreType);
  const defaults = await readDefaults(chosen, environment, serviceAccountFolder);
  const server = parseServer(chosen.apiRoot, defaults);
  const token = readToken(chosen.token, defaults);
  if (token !== undefined && !server.isEncrypted && !isLoopback(server)) {
    throw invalidConfigError(
      `${server.text} would receive the token unencrypted: use https://, or an API server on this machine`,
    );
  }
  return {
    server,
    serverSource: chosen.apiRoot?.namedBy ?? defaults.namedBy,
    tls: server.isEncrypted ? readTlsSettings(chosen, defaults, isVerificationOff(environment)) : undefined,
    token,
  };
}

/** Returns a hash of the server and all credentials, which changes when a file is replaced by one with other content. */
export function identifyConnection({ server, tls, token }: ApiConnection): string {
  const { verification, certificateAuthority, clientCertificate, serverName } = tls ?? {};
  const { certificate, key } = clientCertificate ?? {};
  const credentials = [certificateAuthority?.text, certificate?.text, key?.reveal(), token?.reveal()];
  return sha1(JSON.stringify([server.text, verification, serverName, ...credentials]));
}

/** The context of a kubeconfig, or of the pod in which podwire runs. Single settings override its members. */
interface ConnectionDefaults {
  readonly context: Partial<KubeconfigContext>;
  /** Where the context is configured, for messages. */
  readonly namedBy: string;
}

async function readDefaults(
  chosen: ChosenSettings,
  environment: Environment,
  folder: string,
): Promise<ConnectionDefaults> {
  const { kubeconfigPath, apiRoot } = chosen;
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
  if (!isSet(host)) throw noServerError();
  const port = environment['KUBERNETES_SERVICE_PORT'];
  const context = {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${isSet(port) ? port : '443'}`,
    certificateAuthority: { kind: 'file', path: `${folder}/ca.crt` },
    token: { kind: 'file', path: `${folder}/token` },
  } as const;
  return { context, namedBy: 'the environment of a pod (KUBERNETES_SERVICE_HOST)' };
}

function assertKubernetesDatastore(datastoreType: ChosenSetting | undefined): void {
  if (datastoreType === undefined || datastoreType.value === 'kubernetes') return;
  const { value, namedBy } = datastoreType;
  throw invalidConfigError(
    `${namedBy}: expected "kubernetes" (the Kubernetes API as datastore), got ${JSON.stringify(value.slice(0, 64))}`,
  );
}

function noServerError(): CniError {
  const places = 'kubernetes.kubeconfig, kubernetes.k8s_api_root and policy.k8s_api_root in the network configuration';
  const others = 'KUBECONFIG, K8S_API_ENDPOINT and KUBERNETES_SERVICE_HOST in the environment';
  return invalidConfigError(
    `no API server is configured: ${places} are absent, and so are ${others}; set kubernetes.kubeconfig`,
  );
}

function parseServer(apiRoot: ChosenSetting | undefined, { context, namedBy }: ConnectionDefaults): ServerUrl {
  const where = apiRoot?.namedBy ?? `the server in ${namedBy}`;
  const text = apiRoot?.value ?? context.server;
  if (text === undefined) throw invalidConfigError(`${where} is missing: ${EXPECTED_URL}`);
  try {
    return parseServerUrl(text);
  } catch (cause) {
    if (cause instanceof ServerUrlError) throw invalidConfigError(`${where} ${cause.message}: ${EXPECTED_URL}`);
    throw cause;
  }
}

const EXPECTED_URL = 'expected https://ADDRESS:PORT of the API server';

function readToken(setting: ChosenSetting | undefined, { context, namedBy }: ConnectionDefaults): Secret | undefined {
  if (setting !== undefined) return parseToken(setting.value, setting.namedBy);
  const { token, userName } = context;
  if (token === undefined) return undefined;
  if (token.kind === 'inline') return parseToken(token.text, `user ${JSON.stringify(userName)} in ${namedBy}`);
  const file = { path: token.path, what: 'token file', namedBy };
  return parseToken(readConfiguredFile(file), `the token file ${token.path}`);
}

function parseToken(text: string, source: string): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return makeSecret(token, source);
  throw invalidConfigError(
    `the token of ${source} has a character that is not valid in a token (a space, a line break, or not ASCII)`,
  );
}

function readTlsSettings(chosen: ChosenSettings, defaults: ConnectionDefaults, isOff: boolean): TlsSettings {
  const { context, namedBy } = defaults;
  const authority = isOff
    ? undefined
    : chooseSource(chosen.certificateAuthorityPath, context.certificateAuthority, namedBy);
  const isOffInKubeconfig = context.isVerificationOff === true && chosen.certificateAuthorityPath === undefined;
  if (isOffInKubeconfig && authority !== undefined) {
    throw invalidConfigError(
      `${namedBy} has both insecure-skip-tls-verify and a certificate authority: remove one of them`,
    );
  }
  return {
    verification: isOff || isOffInKubeconfig ? 'off' : 'full',
    certificateAuthority: readPem(authority, 'certificate authority', 'CERTIFICATE'),
    clientCertificate: readClientCertificate(chosen, defaults),
    serverName: context.serverName,
  };
}

function readClientCertificate(
  chosen: ChosenSettings,
  { context, namedBy }: ConnectionDefaults,
): TlsSettings['clientCertificate'] {
  const certificateSource = chooseSource(chosen.clientCertificatePath, context.clientCertificate, namedBy);
  const keySource = chooseSource(chosen.clientKeyPath, context.clientKey, namedBy);
  const certificate = readPem(certificateSource, 'client certificate', 'CERTIFICATE');
  const key = readPem(keySource, 'client key', 'PRIVATE KEY');
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw invalidConfigError(`${namedBy} has a client key, but no client certificate`);
  if (key === undefined) throw invalidConfigError(`${namedBy} has a client certificate, but no client key`);
  return { certificate, key: makeSecret(key.text, key.source) };
}

interface ChosenSource {
  readonly source: TextSource;
  readonly namedBy: string;
}

function chooseSource(
  path: ChosenSetting | undefined,
  source: TextSource | undefined,
  namedBy: string,
): ChosenSource | undefined {
  if (path !== undefined) return { source: { kind: 'file', path: path.value }, namedBy: path.namedBy };
  return source && { source, namedBy };
}

// Node.js ignores text that is not PEM, and its error would then blame the certificate of the server.
function readPem(chosen: ChosenSource | undefined, what: string, label: string): Pem | undefined {
  if (chosen === undefined) return undefined;
  const { source, namedBy } = chosen;
  const isFile = source.kind === 'file';
  const text = isFile ? readConfiguredFile({ path: source.path, what, namedBy }) : source.text;
  const where = isFile ? `the ${what} ${source.path}` : `the ${what} in ${namedBy}`;
  if (!new RegExp(`-----BEGIN ([A-Z]+ )*${label}-----`).test(text)) {
    throw invalidConfigError(`${where} is not PEM: expected "BEGIN ${label}"`);
  }
  return { text, source: where };
}

function invalidConfigError(message: string): CniError {
  return new CniError(ERROR_CODE.invalidConfig, message, { finding: 'PW205' });
}
