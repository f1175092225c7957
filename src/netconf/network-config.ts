import { isCniName, type AttachmentId } from '../cni/attachment-id.ts';
import type { Environment } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { DEFAULT_HOST_INTERFACE_PREFIX, parseHostInterfacePrefix } from './host-interface-prefix.ts';
import { openReader, throwRefusal, type JsonReader, type JsonSource, type Refuse } from '../json/json-reader.ts';
import type { JsonObject } from '../json/json.ts';
import { isEmptyDns, parseResult, readDns, type CniResult, type ResultDns } from '../cni/result.ts';
import {
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
import { readValidAttachments } from '../cni/valid-attachments.ts';
import { parseCniVersion, type CniVersion } from '../cni/versions.ts';

/** The network configuration, each key read once and given its default. */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  readonly type: string;
  /** `undefined`: the agent's file says, else the kernel. */
  readonly mtuBytes: number | undefined;
  readonly requireMtuFile: boolean;
  readonly queueCount: number | undefined;
  readonly nodeName: string | undefined;
  readonly nodeNameFile: string;
  readonly nodeNameFileOptional: boolean;
  /** The node whose podCIDRs are meant, where it is not `nodeName`. */
  readonly podCidrNodeName: string | undefined;
  readonly datastoreType: string | undefined;
  readonly connection: ConnectionSettings;
  readonly log: LogSettings;
  readonly floatingIpsEnabled: boolean;
  readonly ipAddrsNoIpamEnabled: boolean;
  readonly allowIpForwarding: boolean;
  readonly includeDefaultRoutes: boolean;
  readonly readinessGates: readonly string[];
  /** 0: nothing is waited for. */
  readonly policySetupTimeoutSeconds: number;
  readonly endpointStatusDirectory: string;
  /** 1-4 characters. */
  readonly hostInterfacePrefix: string;
  readonly budgets: Budgets;
  readonly ipam: JsonObject;
  /** `ipam.type`, a bare file name. */
  readonly delegateType: string;
  /** `undefined` also if it is there and empty: only then the delegate's counts. */
  readonly dns: ResultDns | undefined;
  readonly prevResult: CniResult | undefined;
  /** `undefined` if the runtime does not say which attachments are valid, which is not the same as none. */
  readonly validAttachments: readonly AttachmentId[] | undefined;
  /** As it came, unknown keys too: what the delegate gets is made from this. */
  readonly raw: JsonObject;
}

/** How the netconf says that the API is reached. What is absent comes from the environment or the kubeconfig. */
export interface ConnectionSettings {
  readonly kubeconfigPath: string | undefined;
  readonly apiRoot: string | undefined;
  readonly token: string | undefined;
  readonly clientCertificatePath: string | undefined;
  readonly clientKeyPath: string | undefined;
  readonly certificateAuthorityPath: string | undefined;
}

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly filePath: string | undefined;
  readonly maxSizeMb: number;
  readonly maxAgeDays: number;
  readonly maxCount: number;
}

/** How long each part of a command may take. */
export interface Budgets {
  readonly apiConnectMs: number;
  readonly apiRequestMs: number;
  /** All that one ADD asks of the API. */
  readonly addApiMs: number;
  readonly delApiMs: number;
  /** One run of the delegate. */
  readonly delegateMs: number;
}

const SOURCE: JsonSource = {
  code: ERROR_CODE.invalidConfig,
  name: 'the network configuration',
  remedy: '; correct it in its file, on most nodes below /etc/cni/net.d',
};
const PREV_RESULT: JsonSource = {
  code: ERROR_CODE.invalidConfig,
  name: 'prevResult',
  remedy: '; see which plugin of the list printed it',
};

const NETWORK_NAME: Shape<string> = {
  wanted: 'a name of 1 to 200 letters, digits, "_", "." and "-", the first a letter or digit,',
  parse: (value) => (typeof value === 'string' && isCniName(value) ? value : undefined),
};
// The least that IPv4 works with, and the most that a veth takes.
const MTU = wholeNumber(68, 65535);
// The kernel's own limit, in rtnl_create_link.
const QUEUES = wholeNumber(1, 4096);
const COUNT = wholeNumber(1, 2 ** 31 - 1);
const SECONDS = wholeNumber(1, 3600);
const BUDGET = wholeNumber(1, 600_000);

const LOG_LEVELS: ReadonlyMap<string, LogSettings['level']> = new Map([
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warning'],
  ['warning', 'warning'],
  ['error', 'error'],
]);

/**
 * The network's name.
 *
 * @throws {CniError} 7
 */
export function parseNetworkName(raw: JsonObject): string {
  return openReader(raw, SOURCE).require('name', NETWORK_NAME);
}

/**
 * A network configuration, as Calico's plugin and podwire know it; keys that it does not know are left alone.
 *
 * @param environment for FELIX_INTERFACEPREFIX
 * @param refuse throws by default; name, version, `type`, `ipam.type` and an unreadable list of valid attachments throw in any case
 * @throws {CniError} 7 naming the key, what is there and what is wanted; 4 for FELIX_INTERFACEPREFIX; 1 for the version
 */
export function parseNetworkConfig(
  raw: JsonObject,
  environment: Environment,
  refuse: Refuse = throwRefusal,
): NetworkConfig {
  const name = parseNetworkName(raw);
  const cniVersion = parseCniVersion(raw);
  const reader = openReader(raw, SOURCE, refuse);
  const kubernetes = reader.within('kubernetes');
  const features = reader.within('feature_control');
  const dns = readDns(reader.within('dns'));
  return {
    cniVersion,
    name,
    type: reader.require('type', PLUGIN_NAME),
    mtuBytes: reader.readUnlessZero('mtu', MTU),
    requireMtuFile: reader.read('require_mtu_file', BOOLEAN) ?? false,
    queueCount: reader.readUnlessZero('num_queues', QUEUES),
    nodeName: reader.readUnlessZero('nodename', NODE_NAME),
    nodeNameFile: reader.readUnlessZero('nodename_file', TEXT) ?? '/var/lib/calico/nodename',
    nodeNameFileOptional: reader.read('nodename_file_optional', BOOLEAN) ?? false,
    podCidrNodeName: kubernetes.readUnlessZero('node_name', NODE_NAME),
    datastoreType: reader.readUnlessZero('datastore_type', TEXT),
    connection: readConnection(kubernetes, reader.within('policy')),
    log: readLog(reader),
    floatingIpsEnabled: features.read('floating_ips', BOOLEAN) ?? false,
    ipAddrsNoIpamEnabled: features.read('ip_addrs_no_ipam', BOOLEAN) ?? false,
    allowIpForwarding: reader.within('container_settings').read('allow_ip_forwarding', BOOLEAN) ?? false,
    includeDefaultRoutes: reader.read('include_default_routes', BOOLEAN) ?? false,
    readinessGates: reader.readList('readiness_gates', HTTP_URL),
    policySetupTimeoutSeconds: reader.readUnlessZero('policy_setup_timeout_seconds', SECONDS) ?? 0,
    endpointStatusDirectory: reader.readUnlessZero('endpoint_status_dir', TEXT) ?? '/var/run/calico/endpoint-status',
    hostInterfacePrefix: readPrefix(environment, refuse),
    budgets: readBudgets(reader.within('budgets')),
    ipam: reader.require('ipam', OBJECT),
    delegateType: reader.within('ipam').require('type', PLUGIN_NAME),
    dns: isEmptyDns(dns) ? undefined : dns,
    prevResult: readPrevResult(reader, cniVersion, refuse),
    validAttachments: readValidAttachments(reader, raw),
    raw,
  };
}

function readConnection(kubernetes: JsonReader, policy: JsonReader): ConnectionSettings {
  // Very old configurations have the path of the API's first version in it.
  const policyRoot = policy.readUnlessZero('k8s_api_root', HTTP_URL)?.split('/api/', 1)[0];
  return {
    kubeconfigPath: kubernetes.readUnlessZero('kubeconfig', TEXT),
    apiRoot: kubernetes.readUnlessZero('k8s_api_root', HTTP_URL) ?? policyRoot,
    token: policy.readUnlessZero('k8s_auth_token', SECRET),
    clientCertificatePath: policy.readUnlessZero('k8s_client_certificate', TEXT),
    clientKeyPath: policy.readUnlessZero('k8s_client_key', SECRET),
    certificateAuthorityPath: policy.readUnlessZero('k8s_certificate_authority', TEXT),
  };
}

function readLog(reader: JsonReader): LogSettings {
  return {
    level: LOG_LEVELS.get(reader.read('log_level', TEXT)?.toLowerCase() ?? '') ?? 'info',
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

function readPrefix(environment: Environment, refuse: Refuse): string {
  try {
    return parseHostInterfacePrefix(environment['FELIX_INTERFACEPREFIX'] ?? '');
  } catch (error) {
    return substitute(error, refuse, DEFAULT_HOST_INTERFACE_PREFIX);
  }
}

function readPrevResult(reader: JsonReader, cniVersion: CniVersion, refuse: Refuse): CniResult | undefined {
  const raw = reader.read('prevResult', OBJECT);
  try {
    return raw === undefined ? undefined : parseResult(raw, { assumedVersion: cniVersion, source: PREV_RESULT });
  } catch (error) {
    return substitute<CniResult | undefined>(error, refuse, undefined);
  }
}

function substitute<T>(error: unknown, refuse: Refuse, otherwise: T): T {
  if (!(error instanceof CniError)) throw error;
  refuse(error);
  return otherwise;
}
