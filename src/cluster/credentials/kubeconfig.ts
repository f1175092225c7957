import { readConfiguredFile, unusable, type ConfiguredFile } from './configured-file.ts';
import { parseFields, parseFlag, parseList, parseOptionalText, parseText, ShapeError, type Fields } from '../fields.ts';

/** Text in the kubeconfig itself, or the file that it names. Relative paths are the kubeconfig folder's. */
export type Source =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string };

/** One context of a kubeconfig, with its cluster and user. Nothing is read from the files that it names. */
export interface KubeconfigContext {
  readonly server: string | undefined;
  readonly serverName: string | undefined;
  readonly isVerificationOff: boolean;
  readonly certificateAuthority: Source | undefined;
  readonly userName: string | undefined;
  readonly token: Source | undefined;
  readonly clientCertificate: Source | undefined;
  readonly clientKey: Source | undefined;
}

/**
 * The context that a kubeconfig has chosen, or the one named.
 *
 * @throws {CniError} 5 when the file cannot be read, 7 when it is no kubeconfig or wants what podwire does not do
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export async function readKubeconfig(file: ConfiguredFile, contextName?: string): Promise<KubeconfigContext> {
  const value = await parseJsonOrYaml(readConfiguredFile(file), file);
  try {
    return parseKubeconfig(value, file.path, contextName);
  } catch (cause) {
    if (cause instanceof ShapeError) throw unusable(file, `cannot be used: ${cause.message}`);
    throw cause;
  }
}

/**
 * @param path the kubeconfig's own path, which relative paths in it start from
 * @throws {ShapeError} naming the field
 */
export function parseKubeconfig(value: unknown, path: string, contextName?: string): KubeconfigContext {
  const config = parseFields(value, 'the file');
  const chosen = contextName ?? parseText(config['current-context'], 'current-context');
  const context = namedEntry(config, 'context', chosen);
  const clusterName = parseText(context['cluster'], `the cluster of context ${JSON.stringify(chosen)}`);
  const userName = parseOptionalText(context['user'], `the user of context ${JSON.stringify(chosen)}`);
  const cluster = namedEntry(config, 'cluster', clusterName);
  const user = userName === undefined ? {} : namedEntry(config, 'user', userName);
  refuse(cluster, CLUSTER_REFUSALS, `cluster ${JSON.stringify(clusterName)}`);
  refuse(user, USER_REFUSALS, `user ${JSON.stringify(userName)}`);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return {
    server: parseOptionalText(cluster['server'], 'cluster.server'),
    serverName: parseOptionalText(cluster['tls-server-name'], 'cluster.tls-server-name'),
    isVerificationOff: parseFlag(cluster['insecure-skip-tls-verify'], 'cluster.insecure-skip-tls-verify'),
    certificateAuthority: pemSource(cluster, 'certificate-authority', folder),
    userName,
    token: tokenSource(user, folder),
    clientCertificate: pemSource(user, 'client-certificate', folder),
    clientKey: pemSource(user, 'client-key', folder),
  };
}

// Errors of both parsers quote the text around the place, which may be a token: only a line number is taken from them.
async function parseJsonOrYaml(text: string, file: ConfiguredFile): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // Not JSON. Loading the YAML parser costs more than the whole rest, so only those pay who write YAML.
    const { parseDocument } = await import('yaml');
    try {
      const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
      const [error] = document.errors;
      if (error === undefined) return document.toJS({ maxAliasCount: 100 });
      throw unusable(file, `is neither JSON nor YAML (line ${lineOf(text, error.pos[0])}: ${error.code})`);
    } catch (error) {
      if (error instanceof Error && error.name === 'CniError') throw error;
      throw unusable(file, 'is neither JSON nor YAML');
    }
  }
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

function namedEntry(config: Fields, kind: 'context' | 'cluster' | 'user', name: string): Fields {
  const entries = parseList(config[`${kind}s`], `${kind}s`).map((entry, index) =>
    parseFields(entry, `${kind}s[${index}]`),
  );
  const found = entries.find((entry) => entry['name'] === name);
  if (found !== undefined) return parseFields(found[kind], `${kind} ${JSON.stringify(name)}`);
  const names = entries.map((entry) => entry['name']).filter((other) => typeof other === 'string');
  const there = names.length === 0 ? 'none' : names.map((other) => JSON.stringify(other)).join(', ');
  throw new ShapeError(`${kind}s has no ${JSON.stringify(name)}, it has ${there}`);
}

function refuse(fields: Fields, refusals: Readonly<Record<string, string>>, where: string): void {
  for (const [key, instead] of Object.entries(refusals)) {
    const value = fields[key];
    if (value !== undefined && value !== null && value !== '') throw new ShapeError(`${where} has ${key}: ${instead}`);
  }
}

// As in client-go, data in the file itself wins over a path.
function pemSource(fields: Fields, key: string, folder: string): Source | undefined {
  const data = parseOptionalText(fields[`${key}-data`], `${key}-data`);
  if (data !== undefined) return { kind: 'inline', text: decodeBase64(data, `${key}-data`) };
  return fileSource(parseOptionalText(fields[key], key), folder);
}

// As in client-go, the file wins, because it is what gets refreshed.
function tokenSource(user: Fields, folder: string): Source | undefined {
  const file = fileSource(parseOptionalText(user['tokenFile'], 'tokenFile'), folder);
  if (file !== undefined) return file;
  const text = parseOptionalText(user['token'], 'token');
  return text === undefined ? undefined : { kind: 'inline', text };
}

function fileSource(path: string | undefined, folder: string): Source | undefined {
  if (path === undefined) return undefined;
  return { kind: 'file', path: path.startsWith('/') ? path : `${folder}${path}` };
}

function decodeBase64(data: string, where: string): string {
  const compact = data.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw new ShapeError(`${where} is not base64`);
  return Buffer.from(compact, 'base64').toString('utf8');
}

const TOKEN_INSTEAD = 'use token or tokenFile with a service account token, or a client certificate';

const USER_REFUSALS = {
  exec: `podwire runs no program to get a credential; ${TOKEN_INSTEAD}`,
  'auth-provider': `Kubernetes has dropped these; ${TOKEN_INSTEAD}`,
  username: `API servers no longer take passwords; ${TOKEN_INSTEAD}`,
  password: `API servers no longer take passwords; ${TOKEN_INSTEAD}`,
  as: 'podwire acts as nobody else; give it an account of its own',
  'as-uid': 'podwire acts as nobody else; give it an account of its own',
  'as-groups': 'podwire acts as nobody else; give it an account of its own',
  'as-user-extra': 'podwire acts as nobody else; give it an account of its own',
};

const CLUSTER_REFUSALS = {
  'proxy-url': 'podwire uses no proxy; name the API server itself, or a load balancer before it',
};
