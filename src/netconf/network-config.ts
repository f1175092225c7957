import { isCniName, type AttachmentId } from '../cni/attachment-id.ts';
import type { Environment } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isEmptyDns, parseResult, readDns, type CniResult, type ResultDns } from '../cni/result.ts';
import { readValidAttachments } from '../cni/valid-attachments.ts';
import { parseCniVersion, type CniVersion } from '../cni/versions.ts';
import { openReader, throwError, type JsonReader, type JsonSource, type OnError } from '../json/json-reader.ts';
import type { JsonObject } from '../json/json.ts';
import {
  ABSOLUTE_PATH,
  BOOLEAN,
  HTTP_URL,
  NODE_NAME,
  OBJECT,
  PLUGIN_NAME,
  SECRET,
  TEXT,
  wholeNumber,
  type Shape,
} from '../json/shapes.ts';
import { DEFAULT_HOST_INTERFACE_PREFIX, parseHostInterfacePrefix } from './host-interface-prefix.ts';

/** A network configuration whose name and version have been read, and nothing else. */
export interface NetworkHeader {
  readonly cniVersion: CniVersion;
  readonly name: string;
  /** The whole configuration, unknown keys included. The delegate's configuration is made from it. */
  readonly raw: JsonObject;
}

/** A network configuration. Each key has been read once, and has its default if it was absent. */
export interface NetworkConfig extends NetworkHeader {
  /** `undefined`: the agent's file decides, otherwise the kernel. */
  readonly mtuBytes: number | undefined;
  readonly requireMtuFile: boolean;
  readonly queueCount: number | undefined;
  readonly nodeName: string | undefined;
  readonly nodeNameFile: string;
  readonly nodeNameFileOptional: boolean;
  /** The Node whose podCIDRs are used, if it is not `nodeName`. */
  readonly podCidrNodeName: string | undefined;
  readonly connection: ConnectionSettings;
  readonly log: LogSettings;
  /** The file for spans of each command. `undefined`: only a command with TRACEPARENT writes spans. */
  readonly traceFilePath: string | undefined;
  readonly floatingIpsEnabled: boolean;
  readonly allowIpForwarding: boolean;
  readonly includeDefaultRoutes: boolean;
  /** `undefined`: the agent and the port mappings of the pod decide. */
  readonly routeLocalnet: boolean | undefined;
  readonly readinessGates: readonly string[];
  /** 0: ADD does not wait. */
  readonly policySetupTimeoutSeconds: number;
  readonly endpointStatusDirectory: string;
  /** 1 to 4 characters. */
  readonly hostInterfacePrefix: string;
  readonly budgets: Budgets;
  readonly ipam: JsonObject;
  /** `ipam.type`, a bare file name. */
  readonly delegateType: string;
  /** `undefined` also if the key is present but empty: then the delegate's `dns` is used. */
  readonly dns: ResultDns | undefined;
  readonly prevResult: CniResult | undefined;
  /** `undefined` if the runtime does not list the valid attachments, which is not the same as an empty list. */
  readonly validAttachments: readonly AttachmentId[] | undefined;
}

/**
 * What the network configuration says about the API server. Absent settings come from the environment or the
 * kubeconfig.
 */
export interface ConnectionSettings {
  /** Only `kubernetes` is supported. */
  readonly datastoreType: string | undefined;
  readonly kubeconfigPath: string | undefined;
  readonly apiRoot: string | undefined;
  readonly token: string | undefined;
  readonly clientCertificatePath: string | undefined;
  readonly clientKeyPath: string | undefined;
  readonly certificateAuthorityPath: string | undefined;
}

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly format: 'text' | 'json';
  /** `undefined`: podwire logs to standard error only. */
  readonly filePath: string | undefined;
  /** A log file that would grow larger is renamed, and a new one is created. */
  readonly maxSizeMb: number;
  /** Renamed files that are older are deleted at the next renaming. */
  readonly maxAgeDays: number;
  /** The number of renamed files to keep. */
  readonly maxCount: number;
}

/** How long each part of a command may take. */
export interface Budgets {
  readonly apiConnectMs: number;
  readonly apiRequestMs: number;
  /** All API requests of one ADD. */
  readonly addApiMs: number;
  readonly delApiMs: number;
  /** One run of the delegate. */
  readonly delegateMs: number;
}

const NETWORK_CONFIG: JsonSource = {
  name: 'the network configuration',
  quotesValues: true,
  error: (message) => invalidConfigError(`${message}; correct it in its file, on most nodes below /etc/cni/net.d`),
};
const PREV_RESULT: JsonSource = {
  name: 'prevResult',
  quotesValues: true,
  error: (message) => invalidConfigError(`${message}; see which plugin of the list printed it`),
};

const NETWORK_NAME: Shape<string> = {
  expected: 'a name of 1 to 200 letters, digits, "_", "." and "-", the first a letter or digit',
  parse: (value) => (typeof value === 'string' && isCniName(value) ? value : undefined),
};
// The minimum for IPv4, and the maximum for a veth.
const MTU = wholeNumber(68, 65535);
// The kernel has this limit, in rtnl_create_link.
const QUEUES = wholeNumber(1, 4096);
const COUNT = wholeNumber(1, 2 ** 31 - 1);
const SECONDS = wholeNumber(1, 3600);
const BUDGET = wholeNumber(1, 600_000);

const LOG_FORMAT: Shape<LogSettings['format']> = {
  expected: '"text" or "json"',
  parse: (value) => (value === 'text' || value === 'json' ? value : undefined),
};

const LOG_LEVELS: ReadonlyMap<string, LogSettings['level']> = new Map([
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warning'],
  ['warning', 'warning'],
  ['error', 'error'],
]);

/**
 * Parses the name and the version of a network configuration.
 *
 * @throws {CniError} invalidConfig (7) for the name, otherwise incompatibleVersion (1) for the version
 */
export function parseNetworkHeader(raw: JsonObject): NetworkHeader {
  const name = openReader(raw, NETWORK_CONFIG).require('name', NETWORK_NAME);
  return { name, cniVersion: parseCniVersion(raw), raw };
}

/**
 * Parses the rest of a network configuration, with the keys of Calico's plugin and of podwire. It ignores keys that
 * it does not know.
 *
 * @param environment for FELIX_INTERFACEPREFIX
 * @param onError throws by default; an invalid `type`, `ipam`, `ipam.type` or list of valid attachments throws in any
 *   case
 * @throws {CniError} invalidConfig (7) naming the key, the value and what is expected; invalidEnvironment (4) for
 *   FELIX_INTERFACEPREFIX
 */
export function parseNetworkConfig(
  header: NetworkHeader,
  environment: Environment,
  onError: OnError = throwError,
): NetworkConfig {
  const reader = openReader(header.raw, NETWORK_CONFIG, onError);
  const kubernetes = reader.readObject('kubernetes');
  const dns = readDns(reader.readObject('dns'));
  reader.require('type', PLUGIN_NAME); // Not used, but a configuration without it is not one.
  return {
    ...header,
    mtuBytes: reader.readUnlessZero('mtu', MTU),
    requireMtuFile: reader.read('require_mtu_file', BOOLEAN) ?? false,
    queueCount: reader.readUnlessZero('num_queues', QUEUES),
    nodeName: reader.readUnlessZero('nodename', NODE_NAME),
    nodeNameFile: reader.readUnlessZero('nodename_file', TEXT) ?? '/var/lib/calico/nodename',
    nodeNameFileOptional: reader.read('nodename_file_optional', BOOLEAN) ?? false,
    podCidrNodeName: kubernetes.readUnlessZero('node_name', NODE_NAME),
    connection: readConnectionSettings(reader, kubernetes),
    log: readLogSettings(reader),
    traceFilePath: reader.readUnlessZero('trace_file', ABSOLUTE_PATH),
    floatingIpsEnabled: reader.readObject('feature_control').read('floating_ips', BOOLEAN) ?? false,
    allowIpForwarding: reader.readObject('container_settings').read('allow_ip_forwarding', BOOLEAN) ?? false,
    includeDefaultRoutes: reader.read('include_default_routes', BOOLEAN) ?? false,
    routeLocalnet: reader.read('route_localnet', BOOLEAN),
    readinessGates: reader.readList('readiness_gates', HTTP_URL),
    policySetupTimeoutSeconds: reader.readUnlessZero('policy_setup_timeout_seconds', SECONDS) ?? 0,
    endpointStatusDirectory: reader.readUnlessZero('endpoint_status_dir', TEXT) ?? '/var/run/calico/endpoint-status',
    hostInterfacePrefix: readPrefix(environment, onError),
    budgets: readBudgets(reader.readObject('budgets')),
    ipam: reader.require('ipam', OBJECT),
    delegateType: reader.requireObject('ipam').require('type', PLUGIN_NAME),
    dns: isEmptyDns(dns) ? undefined : dns,
    prevResult: readPrevResult(reader, header.cniVersion, onError),
    validAttachments: readValidAttachments(reader, header.raw),
  };
}

function readConnectionSettings(reader: JsonReader, kubernetes: JsonReader): ConnectionSettings {
  const policy = reader.readObject('policy');
  // Very old configurations end this URL with the path of the API's first version.
  const policyRoot = policy.readUnlessZero('k8s_api_root', HTTP_URL)?.split('/api/', 1)[0];
  return {
    datastoreType: reader.readUnlessZero('datastore_type', TEXT),
    kubeconfigPath: kubernetes.readUnlessZero('kubeconfig', TEXT),
    apiRoot: kubernetes.readUnlessZero('k8s_api_root', HTTP_URL) ?? policyRoot,
    token: policy.readUnlessZero('k8s_auth_token', SECRET),
    clientCertificatePath: policy.readUnlessZero('k8s_client_certificate', TEXT),
    clientKeyPath: policy.readUnlessZero('k8s_client_key', SECRET),
    certificateAuthorityPath: policy.readUnlessZero('k8s_certificate_authority', TEXT),
  };
}

function readLogSettings(reader: JsonReader): LogSettings {
  return {
    level: LOG_LEVELS.get(reader.read('log_level', TEXT)?.toLowerCase() ?? '') ?? 'info',
    format: reader.readUnlessZero('log_format', LOG_FORMAT) ?? 'text',
    filePath: reader.readUnlessZero('log_file_path', TEXT),
    maxSizeMb: reader.readUnlessZero('log_file_max_size', COUNT) ?? 100,
    maxAgeDays: reader.readUnlessZero('log_file_max_age', COUNT) ?? 30,
    maxCount: reader.readUnlessZero('log_file_max_count', COUNT) ?? 10,
  };
}

function readBudgets(reader: JsonReader): Budgets {
  return {
    apiConnectMs: reader.readUnlessZero('api_connect_ms', BUDGET) ?? 1000,
    apiRequestMs: reader.readUnlessZero('api_request_ms', BUDGET) ?? 2000,
    addApiMs: reader.readUnlessZero('add_api_ms', BUDGET) ?? 4000,
    delApiMs: reader.readUnlessZero('del_api_ms', BUDGET) ?? 1500,
    delegateMs: reader.readUnlessZero('delegate_ms', BUDGET) ?? 10_000,
  };
}

function readPrefix(environment: Environment, onError: OnError): string {
  try {
    return parseHostInterfacePrefix(environment['FELIX_INTERFACEPREFIX'] ?? '');
  } catch (error) {
    return reportAndReplace(error, onError, DEFAULT_HOST_INTERFACE_PREFIX);
  }
}

function readPrevResult(reader: JsonReader, cniVersion: CniVersion, onError: OnError): CniResult | undefined {
  const raw = reader.read('prevResult', OBJECT);
  try {
    return raw === undefined ? undefined : parseResult(raw, { assumedVersion: cniVersion, source: PREV_RESULT });
  } catch (error) {
    return reportAndReplace<CniResult | undefined>(error, onError, undefined);
  }
}

function reportAndReplace<T>(error: unknown, onError: OnError, replacement: T): T {
  if (!(error instanceof CniError)) throw error;
  onError(error);
  return replacement;
}

function invalidConfigError(message: string): CniError {
  return new CniError(ERROR_CODE.invalidConfig, message, { finding: 'PW102' });
}
