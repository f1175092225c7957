import { basename, isAbsolute } from 'node:path';
import type { Environment } from '../cni/environment.ts';
import { InstallError } from './install-error.ts';
import type { PlaceholderValues } from './netconf-template.ts';
import { KUBECONFIG_NAME, layoutOf, type Layout } from './layout.ts';

/** What the arguments and the environment specify. */
export interface InstallSettings {
  readonly layout: Layout;
  /** `undefined`: the host name, in lower case. */
  readonly nodeName: string | undefined;
  readonly configName: string;
  readonly kubeconfigName: string;
  /** Removed after the new one has been written. */
  readonly oldConfigNames: readonly string[];
  /** `path` takes precedence. */
  readonly template: { readonly text: string | undefined; readonly path: string | undefined };
  /** The placeholders whose values come from the environment. */
  readonly placeholders: PlaceholderValues;
  readonly skippedPrograms: readonly string[];
  readonly updatePrograms: boolean;
  /** The service account of the plugin, not of the installer. */
  readonly account: string;
  /** The namespace of that account; `undefined`: the installer's. */
  readonly namespace: string | undefined;
  /** How often `--watch` checks that the API server accepts the token; `undefined`: install once. */
  readonly watchEverySeconds: number | undefined;
}

/**
 * Variables have the names of Calico's installer where they mean the same.
 *
 * @param args the arguments after `install`
 * @throws {InstallError} naming the variable or the argument
 */
export function parseInstallSettings(args: readonly string[], environment: Environment): InstallSettings {
  const { root, given } = parseArgs('install', args, ['--watch', '--as-calico']);
  const names = given.has('--as-calico') ? CALICO_NAMES : OWN_NAMES;
  const read = (name: string, defaultValue = '') => environment[name] || defaultValue;
  const protocol = read('KUBERNETES_SERVICE_PROTOCOL', 'https');
  if (protocol !== 'https') {
    throw variableError('KUBERNETES_SERVICE_PROTOCOL', protocol, 'https, because a token is sent over the connection');
  }
  return {
    layout: parseLayout(root, environment),
    nodeName: environment['KUBERNETES_NODE_NAME'] || undefined,
    configName: parseFileName('CNI_CONF_NAME', read('CNI_CONF_NAME', names.config)),
    kubeconfigName: names.kubeconfig,
    oldConfigNames: parseList(read('CNI_OLD_CONF_NAME')).map((name) => parseFileName('CNI_OLD_CONF_NAME', name)),
    template: {
      text: environment['CNI_NETWORK_CONFIG'] || undefined,
      path: environment['CNI_NETWORK_CONFIG_FILE'] || undefined,
    },
    placeholders: {
      CNI_SPEC_VERSION: parseSpecVersion(read('CNI_SPEC_VERSION', '1.1.0')),
      IPAM_RANGES: parseFamilies(read('IP_FAMILIES', 'ipv4')).map((family) => [{ subnet: NODE_SUBNETS[family] }]),
      REQUIRE_MTU_FILE: parseFlag('REQUIRE_MTU_FILE', read('REQUIRE_MTU_FILE', 'false')),
      CNI_MTU: requireWholeNumber('CNI_MTU', read('CNI_MTU', '0')),
      LOG_LEVEL: read('LOG_LEVEL', 'info'),
      LOG_FILE_PATH: read('LOG_FILE_PATH', '/var/log/podwire/cni.log'),
      LOG_FILE_MAX_SIZE: requireWholeNumber('LOG_FILE_MAX_SIZE', read('LOG_FILE_MAX_SIZE', '100')),
      LOG_FILE_MAX_AGE: requireWholeNumber('LOG_FILE_MAX_AGE', read('LOG_FILE_MAX_AGE', '30')),
      LOG_FILE_MAX_COUNT: requireWholeNumber('LOG_FILE_MAX_COUNT', read('LOG_FILE_MAX_COUNT', '10')),
      DATASTORE_TYPE: read('DATASTORE_TYPE', 'kubernetes'),
      KUBERNETES_SERVICE_HOST: read('KUBERNETES_SERVICE_HOST'),
      KUBERNETES_SERVICE_PORT: read('KUBERNETES_SERVICE_PORT', '443'),
    },
    skippedPrograms: parseList(read('SKIP_CNI_BINARIES')),
    updatePrograms: parseFlag('UPDATE_CNI_BINARIES', read('UPDATE_CNI_BINARIES', 'true')),
    account: read('CALICO_CNI_SERVICE_ACCOUNT', names.account),
    namespace: environment['POD_NAMESPACE'] || undefined,
    watchEverySeconds: given.has('--watch')
      ? Number(requireWholeNumber('TOKEN_CHECK_SECONDS', read('TOKEN_CHECK_SECONDS', '300')))
      : undefined,
  };
}

/**
 * The environment that locates the API server: SKIP_TLS_VERIFY is Calico's name for K8S_INSECURE_SKIP_TLS_VERIFY.
 *
 * @throws {InstallError} if SKIP_TLS_VERIFY is neither true nor false
 */
export function connectionEnvironment(environment: Environment): Environment {
  const isOff = parseFlag('SKIP_TLS_VERIFY', environment['SKIP_TLS_VERIFY'] || 'false');
  return isOff ? { ...environment, K8S_INSECURE_SKIP_TLS_VERIFY: 'true' } : environment;
}

/** The defaults of names that variables can change. */
interface DefaultNames {
  readonly account: string;
  readonly config: string;
  readonly kubeconfig: string;
}

const OWN_NAMES: DefaultNames = { account: 'podwire', config: '10-podwire.conflist', kubeconfig: KUBECONFIG_NAME };

/** The names that the agent (calico-node) uses; it keeps the token in that kubeconfig up to date. */
const CALICO_NAMES: DefaultNames = {
  account: 'calico-cni-plugin',
  config: '10-calico.conflist',
  kubeconfig: 'calico-kubeconfig',
};

/**
 * The arguments of a command: `--root FOLDER`, where the node's file system is (by default `/host`), and flags.
 *
 * @throws {InstallError} naming an unknown argument
 */
export function parseArgs<Flag extends string>(
  command: string,
  args: readonly string[],
  flags: readonly Flag[],
): { readonly root: string; readonly given: ReadonlySet<Flag> } {
  let root = '/host';
  const given = new Set<Flag>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    const flag = flags.find((known) => known === arg);
    if (flag !== undefined) given.add(flag);
    else if (arg === '--root' && isAbsolute(args[index + 1] ?? '')) root = args[++index] ?? root;
    else if (arg === '--root') {
      const path = args[index + 1];
      const found = path === undefined ? 'nothing' : JSON.stringify(path.slice(0, 64));
      throw new InstallError(`--root of podwire ${command} needs an absolute folder, got ${found}`);
    } else {
      throw new InstallError(
        `podwire ${command} accepts ${flags.join(', ')} and --root FOLDER (absolute), not ${JSON.stringify(arg)}`,
      );
    }
  }
  return { root, given };
}

/**
 * Where the folders are: CNI_BIN_DIR and CNI_NET_DIR are paths on the node.
 *
 * @throws {InstallError} naming the variable
 */
export function parseLayout(root: string, environment: Environment): Layout {
  const read = (name: string, defaultPath: string): string => {
    const path = environment[name] || defaultPath;
    if (isAbsolute(path)) return path;
    throw variableError(name, path, 'an absolute path on the node');
  };
  return layoutOf(root, {
    programs: read('CNI_BIN_DIR', '/opt/cni/bin'),
    configs: read('CNI_NET_DIR', '/etc/cni/net.d'),
  });
}

function parseFileName(variable: string, value: string): string {
  const isFileName = /^[\w.-]+\.(conflist|conf|json)$/.test(value) && basename(value) === value;
  if (isFileName && !value.startsWith('.')) return value;
  throw variableError(variable, value, 'a file name that ends in .conflist, .conf or .json');
}

// Whether podwire supports the version is checked with the rest of the rendered configuration.
function parseSpecVersion(value: string): string {
  if (/^\d\.\d\.\d$/.test(value)) return value;
  throw variableError('CNI_SPEC_VERSION', value, 'a version of the CNI specification such as 1.1.0');
}

/** The words by which host-local's `subnet` refers to the podCIDR of the Node. */
const NODE_SUBNETS = { ipv4: 'usePodCidr', ipv6: 'usePodCidrIPv6' } as const;

type Family = keyof typeof NODE_SUBNETS;

function parseFamilies(value: string): readonly Family[] {
  const families = parseList(value);
  if (families.length > 0 && new Set(families).size === families.length && families.every(isFamily)) return families;
  throw variableError('IP_FAMILIES', value, 'ipv4, ipv6, or both with a comma');
}

function isFamily(name: string): name is Family {
  return Object.hasOwn(NODE_SUBNETS, name);
}

function requireWholeNumber(variable: string, value: string): string {
  if (/^\d{1,6}$/.test(value)) return String(Number(value));
  throw variableError(variable, value, 'a whole number of up to six digits');
}

function parseFlag(variable: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw variableError(variable, value, 'true or false');
}

function parseList(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function variableError(variable: string, value: string, expected: string): InstallError {
  return new InstallError(`${variable} is invalid: expected ${expected}, got ${JSON.stringify(value.slice(0, 64))}`);
}
