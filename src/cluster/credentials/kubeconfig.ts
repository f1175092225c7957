import { openReader, type JsonReader, type JsonSource } from '../../json/json-reader.ts';
import { BOOLEAN, NON_EMPTY_STRING, STRING, type Shape } from '../../json/shapes.ts';
import { invalidFileError, readConfiguredFile, type ConfiguredFile } from './configured-file.ts';

/** Text that a kubeconfig contains, or the file that it names. Relative paths start from the kubeconfig's folder. */
export type TextSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string };

/** One context of a kubeconfig, with its cluster and user. The files that it names have not been read. */
export interface KubeconfigContext {
  readonly server: string | undefined;
  readonly serverName: string | undefined;
  readonly isVerificationOff: boolean;
  readonly certificateAuthority: TextSource | undefined;
  readonly userName: string | undefined;
  readonly token: TextSource | undefined;
  readonly clientCertificate: TextSource | undefined;
  readonly clientKey: TextSource | undefined;
}

/**
 * Reads the current context of a kubeconfig, or the named one.
 *
 * @throws {CniError} inputOutput (5) if the file cannot be read, invalidConfig (7) if it is not a kubeconfig or
 *   requires something that podwire does not support
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export async function readKubeconfig(file: ConfiguredFile, contextName?: string): Promise<KubeconfigContext> {
  return parseKubeconfig(await parseJsonOrYaml(readConfiguredFile(file), file), file, contextName);
}

/**
 * Parses the current context of a kubeconfig, or the named one.
 *
 * @param value the kubeconfig's JSON or YAML, already parsed
 * @param file the kubeconfig itself: relative paths start from its folder
 * @throws {CniError} invalidConfig (7) naming the field, but never its value
 */
export function parseKubeconfig(value: unknown, file: ConfiguredFile, contextName?: string): KubeconfigContext {
  const source: JsonSource = {
    quotesValues: false,
    error: (problem) => invalidFileError(file, `cannot be used: ${problem}`),
  };
  const config = openReader(value, source);
  const context = findEntry(config, 'context', contextName ?? config.require('current-context', NON_EMPTY_STRING));
  const clusterName = context.require('cluster', NON_EMPTY_STRING);
  const userName = context.readUnlessZero('user', STRING);
  const cluster = findEntry(config, 'cluster', clusterName);
  const user = userName === undefined ? openReader({}, source) : findEntry(config, 'user', userName);
  assertSupported(cluster, UNSUPPORTED_IN_CLUSTER, `cluster ${JSON.stringify(clusterName)}`);
  assertSupported(user, UNSUPPORTED_IN_USER, `user ${JSON.stringify(userName)}`);
  const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1);
  return {
    server: cluster.readUnlessZero('server', STRING),
    serverName: cluster.readUnlessZero('tls-server-name', STRING),
    isVerificationOff: cluster.read('insecure-skip-tls-verify', BOOLEAN) ?? false,
    certificateAuthority: readPemSource(cluster, 'certificate-authority', folder),
    userName,
    token: readTokenSource(user, folder),
    clientCertificate: readPemSource(user, 'client-certificate', folder),
    clientKey: readPemSource(user, 'client-key', folder),
  };
}

// The errors of both parsers quote the text around the position, which may be a token. Only the line number is safe.
async function parseJsonOrYaml(text: string, file: ConfiguredFile): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // It is not JSON. Loading the YAML parser takes longer than all the rest, so only a YAML kubeconfig pays for it.
    const { parseDocument } = await import('yaml');
    try {
      const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
      const [error] = document.errors;
      if (error === undefined) return document.toJS({ maxAliasCount: 100 });
      throw invalidFileError(file, `is neither JSON nor YAML (line ${lineOf(text, error.pos[0])}: ${error.code})`);
    } catch (error) {
      if (error instanceof Error && error.name === 'CniError') throw error;
      throw invalidFileError(file, 'is neither JSON nor YAML');
    }
  }
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

function findEntry(config: JsonReader, kind: 'context' | 'cluster' | 'user', name: string): JsonReader {
  const entries = config
    .readObjects(`${kind}s`)
    .map((entry) => ({ entry, name: entry.readUnlessZero('name', STRING) }));
  const found = entries.find((other) => other.name === name);
  if (found !== undefined) return found.entry.requireObject(kind);
  const names = entries.flatMap((other) => (other.name === undefined ? [] : [JSON.stringify(other.name)]));
  throw config.error(`${kind}s has no ${JSON.stringify(name)}; it has ${names.join(', ') || 'no named entry'}`);
}

function assertSupported(entry: JsonReader, unsupported: Readonly<Record<string, string>>, where: string): void {
  for (const [key, remedy] of Object.entries(unsupported)) {
    if (entry.has(key)) throw entry.error(`${where} has ${key}: ${remedy}`);
  }
}

// As in client-go, data in the kubeconfig takes precedence over a path.
function readPemSource(entry: JsonReader, key: string, folder: string): TextSource | undefined {
  const text = entry.readUnlessZero(`${key}-data`, BASE64);
  return text === undefined ? fileSource(entry.readUnlessZero(key, STRING), folder) : { kind: 'inline', text };
}

// As in client-go, the file takes precedence, because it is the one that is refreshed.
function readTokenSource(user: JsonReader, folder: string): TextSource | undefined {
  const file = fileSource(user.readUnlessZero('tokenFile', STRING), folder);
  if (file !== undefined) return file;
  const text = user.readUnlessZero('token', STRING);
  return text === undefined ? undefined : { kind: 'inline', text };
}

function fileSource(path: string | undefined, folder: string): TextSource | undefined {
  if (path === undefined) return undefined;
  return { kind: 'file', path: path.startsWith('/') ? path : `${folder}${path}` };
}

/** Gives the decoded text. */
const BASE64: Shape<string> = {
  expected: 'base64',
  parse: (value) => {
    const data = typeof value === 'string' ? value.replace(/\s+/g, '') : '';
    return /^[A-Za-z0-9+/]+={0,2}$/.test(data) ? Buffer.from(data, 'base64').toString('utf8') : undefined;
  },
};

const TOKEN_INSTEAD = 'use token or tokenFile with a service account token, or a client certificate';
const OWN_ACCOUNT = 'podwire does not impersonate; give it its own account';

const UNSUPPORTED_IN_USER = {
  exec: `podwire does not run a program to get a credential; ${TOKEN_INSTEAD}`,
  'auth-provider': `Kubernetes has removed it; ${TOKEN_INSTEAD}`,
  username: `API servers no longer accept passwords; ${TOKEN_INSTEAD}`,
  password: `API servers no longer accept passwords; ${TOKEN_INSTEAD}`,
  as: OWN_ACCOUNT,
  'as-uid': OWN_ACCOUNT,
  'as-groups': OWN_ACCOUNT,
  'as-user-extra': OWN_ACCOUNT,
};

const UNSUPPORTED_IN_CLUSTER = {
  'proxy-url': 'podwire uses no proxy; name the API server itself, or a load balancer in front of it',
};
