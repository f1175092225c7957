import { basename, isAbsolute } from 'node:path';
import type { Environment } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { KUBECONFIG_NAME, layoutOf, type Layout } from './layout.ts';

/** What the words and the environment ask for. */
export interface InstallSettings {
  readonly layout: Layout;
  /** Undefined: the host name, in lower case. */
  readonly nodeName: string | undefined;
  readonly configName: string;
  readonly kubeconfigName: string;
  /** Removed once the new one stands. */
  readonly oldConfigNames: readonly string[];
  /** `path` wins. */
  readonly template: { readonly text: string | undefined; readonly path: string | undefined };
  /** Placeholder to value, of those that the environment decides. */
  readonly placeholders: Readonly<Record<string, string>>;
  readonly skippedPrograms: readonly string[];
  readonly updatePrograms: boolean;
  /** The plugin's own account, not the installer's. Its namespace is the installer's unless said. */
  readonly account: string;
  readonly namespace: string | undefined;
  /** Undefined: once. Else how often to look whether the token is still taken. */
  readonly watchEverySeconds: number | undefined;
}

/**
 * Calico's names, where they mean the same.
 *
 * @param words behind `install`
 * @throws {CniError} 4 naming the variable or the word
 */
export function parseInstallSettings(words: readonly string[], environment: Environment): InstallSettings {
  const { root, given } = parseWords('install', words, ['--watch', '--as-calico']);
  const names = given.has('--as-calico') ? CALICO_NAMES : OWN_NAMES;
  const read = (name: string, otherwise = '') => environment[name] || otherwise;
  const protocol = read('KUBERNETES_SERVICE_PROTOCOL', 'https');
  if (protocol !== 'https') throw wrong('KUBERNETES_SERVICE_PROTOCOL', protocol, 'https, for a token is sent over it,');
  return {
    layout: parseLayout(root, environment),
    nodeName: environment['KUBERNETES_NODE_NAME'] || undefined,
    configName: parseFileName('CNI_CONF_NAME', read('CNI_CONF_NAME', names.config)),
    kubeconfigName: names.kubeconfig,
    oldConfigNames: list(read('CNI_OLD_CONF_NAME')).map((name) => parseFileName('CNI_OLD_CONF_NAME', name)),
    template: {
      text: environment['CNI_NETWORK_CONFIG'] || undefined,
      path: environment['CNI_NETWORK_CONFIG_FILE'] || undefined,
    },
    placeholders: {
      CNI_MTU: parseWhole('CNI_MTU', read('CNI_MTU', '0')),
      LOG_LEVEL: read('LOG_LEVEL', 'info'),
      LOG_FILE_PATH: read('LOG_FILE_PATH', '/var/log/podwire/cni.log'),
      LOG_FILE_MAX_SIZE: parseWhole('LOG_FILE_MAX_SIZE', read('LOG_FILE_MAX_SIZE', '100')),
      LOG_FILE_MAX_AGE: parseWhole('LOG_FILE_MAX_AGE', read('LOG_FILE_MAX_AGE', '30')),
      LOG_FILE_MAX_COUNT: parseWhole('LOG_FILE_MAX_COUNT', read('LOG_FILE_MAX_COUNT', '10')),
      DATASTORE_TYPE: read('DATASTORE_TYPE', 'kubernetes'),
      KUBERNETES_SERVICE_HOST: read('KUBERNETES_SERVICE_HOST'),
      KUBERNETES_SERVICE_PORT: read('KUBERNETES_SERVICE_PORT', '443'),
    },
    skippedPrograms: list(read('SKIP_CNI_BINARIES')),
    updatePrograms: parseFlag('UPDATE_CNI_BINARIES', read('UPDATE_CNI_BINARIES', 'true')),
    account: read('CALICO_CNI_SERVICE_ACCOUNT', names.account),
    namespace: environment['POD_NAMESPACE'] || undefined,
    watchEverySeconds: given.has('--watch')
      ? Number(parseWhole('TOKEN_CHECK_SECONDS', read('TOKEN_CHECK_SECONDS', '300')))
      : undefined,
  };
}

/**
 * The environment that the API server is found by: SKIP_TLS_VERIFY is Calico's name for K8S_INSECURE_SKIP_TLS_VERIFY.
 *
 * @throws {CniError} 4
 */
export function connectionEnvironment(environment: Environment): Environment {
  const isOff = parseFlag('SKIP_TLS_VERIFY', environment['SKIP_TLS_VERIFY'] || 'false');
  return isOff ? { ...environment, K8S_INSECURE_SKIP_TLS_VERIFY: 'true' } : environment;
}

/** What things are called unless a variable says otherwise. */
interface Names {
  readonly account: string;
  readonly config: string;
  readonly kubeconfig: string;
}

const OWN_NAMES: Names = { account: 'podwire', config: '10-podwire.conflist', kubeconfig: KUBECONFIG_NAME };

/** As the agent knows them, which keeps the token in its kubeconfig fresh. */
const CALICO_NAMES: Names = {
  account: 'calico-cni-plugin',
  config: '10-calico.conflist',
  kubeconfig: 'calico-kubeconfig',
};

/**
 * The words behind a command: `--root FOLDER`, where the node's file system is (`/host`), and flags.
 *
 * @throws {CniError} 4 naming the word that it does not know
 */
export function parseWords<Flag extends string>(
  command: string,
  words: readonly string[],
  flags: readonly Flag[],
): { readonly root: string; readonly given: ReadonlySet<Flag> } {
  let root = '/host';
  const given = new Set<Flag>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    const flag = flags.find((known) => known === word);
    if (flag !== undefined) given.add(flag);
    else if (word === '--root' && isAbsolute(words[index + 1] ?? '')) root = words[++index] ?? root;
    else
      throw unusable(
        `podwire ${command} knows ${flags.join(', ')} and --root FOLDER (absolute), not ${JSON.stringify(word)}`,
      );
  }
  return { root, given };
}

/**
 * Where things are on the node: CNI_BIN_DIR and CNI_NET_DIR are the node's own paths.
 *
 * @throws {CniError} 4 naming the variable
 */
export function parseLayout(root: string, environment: Environment): Layout {
  const read = (name: string, otherwise: string): string => {
    const path = environment[name] || otherwise;
    if (isAbsolute(path)) return path;
    throw wrong(name, path, "an absolute path, the node's own,");
  };
  return layoutOf(root, {
    programs: read('CNI_BIN_DIR', '/opt/cni/bin'),
    configs: read('CNI_NET_DIR', '/etc/cni/net.d'),
  });
}

function parseFileName(variable: string, value: string): string {
  if (/^[\w.-]+\.(conflist|conf|json)$/.test(value) && basename(value) === value && !value.startsWith('.'))
    return value;
  throw wrong(variable, value, 'a file name that ends in .conflist, .conf or .json');
}

function parseWhole(variable: string, value: string): string {
  if (/^\d{1,6}$/.test(value)) return String(Number(value));
  throw wrong(variable, value, 'a whole number');
}

function parseFlag(variable: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw wrong(variable, value, 'true or false');
}

function list(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function wrong(variable: string, value: string, wanted: string): CniError {
  return unusable(`${variable} is ${JSON.stringify(value.slice(0, 64))}, where ${wanted} is wanted`);
}

function unusable(message: string): CniError {
  return new CniError(ERROR_CODE.invalidEnvironment, message);
}
