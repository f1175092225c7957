import { parseContainerId, parseInterfaceName, type AttachmentId } from '../cni/attachment-id.ts';
import { parseCniArgs, UNREADABLE_CNI_ARGS, type CniArgs } from '../cni/cni-args.ts';
import { VERBS, findVerb, assertUsableEnvironment, type Environment, type Verb } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { parseJsonObject, type JsonObject } from '../json/json.ts';
import { parseNetworkConfig, parseNetworkName, type NetworkConfig } from './network-config.ts';
import { quote } from '../json/quote.ts';
import { NEWEST_VERSION, isAtLeast, parseCniVersion } from '../cni/versions.ts';

/** One call of the plugin by a runtime. */
export type CniRequest = AttachmentRequest | DelRequest | GcRequest | StatusRequest | VersionRequest;

export interface AttachmentRequest extends OnAttachment {
  readonly verb: 'ADD' | 'CHECK';
  /** CNI_NETNS as given. */
  readonly sandboxPath: string;
}

export interface DelRequest extends OnAttachment {
  readonly verb: 'DEL';
  /** `undefined` if the runtime says that the sandbox is gone. */
  readonly sandboxPath: string | undefined;
  /** What could not be used and was taken for absent: a DEL does what it can. To be logged. */
  readonly ignored: readonly string[];
}

export interface GcRequest extends OnNetwork {
  readonly verb: 'GC';
}

export interface StatusRequest extends OnNetwork {
  readonly verb: 'STATUS';
}

export interface VersionRequest {
  readonly verb: 'VERSION';
  /** The one to echo. */
  readonly cniVersion: string;
}

interface OnNetwork {
  readonly config: NetworkConfig;
  /** The folders of CNI_PATH. */
  readonly pluginPath: readonly string[];
}

interface OnAttachment extends OnNetwork {
  readonly id: AttachmentId;
  readonly args: CniArgs;
  /** CNI_NETNS_OVERRIDE: the sandbox may be the plugin's own network namespace. */
  readonly mayUseOwnNetns: boolean;
}

/** What the process was given. */
export interface RequestInput {
  readonly environment: Environment;
  /** Not read for VERSION but for the version that is echoed; may be empty there. */
  readonly stdin: Uint8Array;
}

/**
 * A runtime's request. Of several faults it reports the one that Go's plugins would, since tools rely on it: the format of a variable,
 * missing variables, the configuration's text, its name, its version, the command, then the rest.
 *
 * @throws {CniError} 4, 6, 7 or 1 in that order, then 4 for an unknown command, then 7 or 4 for what is left
 * @see containernetworking/cni pkg/skel, getCmdArgsFromEnv
 */
export function parseRequest({ environment, stdin }: RequestInput): CniRequest {
  assertUsableEnvironment(environment);
  const command = environment['CNI_COMMAND'] ?? '';
  const verb = findVerb(command);
  if (verb === 'VERSION') return { verb, cniVersion: requestCniVersion({ stdin }) };
  const raw = parseJsonObject(stdin, 'the network configuration on standard input');
  parseNetworkName(raw);
  assertUsableVersion(raw, verb);
  if (verb === undefined) throw unknownCommand(command);
  const pluginPath = (environment['CNI_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  switch (verb) {
    case 'ADD':
    case 'CHECK':
      return {
        verb,
        config: parseNetworkConfig(raw, environment),
        ...parseTarget(environment),
        sandboxPath: environment['CNI_NETNS'] ?? '',
        args: parseCniArgs(environment['CNI_ARGS'] ?? ''),
        pluginPath,
      };
    case 'DEL':
      return { ...parseDel(raw, environment), pluginPath };
    case 'GC':
    case 'STATUS':
      return { verb, pluginPath, config: parseNetworkConfig(raw, environment) };
    default:
      return verb satisfies never;
  }
}

/**
 * The request's `cniVersion`, for an answer that must be given whatever else is wrong with it: 1.1.0 if it cannot be read. It need not
 * be one that is supported.
 */
export function requestCniVersion({ stdin }: Pick<RequestInput, 'stdin'>): string {
  try {
    const given = parseJsonObject(stdin)['cniVersion'];
    return typeof given === 'string' && /^[0-9]{1,5}(?:\.[0-9]{1,5}){0,2}$/.test(given) ? given : NEWEST_VERSION;
  } catch {
    return NEWEST_VERSION;
  }
}

function unknownCommand(command: string): CniError {
  const details = `known are ${Object.keys(VERBS).join(', ')}`;
  return new CniError(ERROR_CODE.invalidEnvironment, `unknown CNI_COMMAND: ${quote(command)}`, { details });
}

function assertUsableVersion(raw: JsonObject, verb: Verb | undefined): void {
  const version = parseCniVersion(raw);
  if (verb === undefined || isAtLeast(version, VERBS[verb].since)) return;
  throw new CniError(ERROR_CODE.incompatibleVersion, `config version does not allow ${verb}`, {
    details: `config is "${version}", ${verb} exists since "${VERBS[verb].since}"`,
  });
}

function parseTarget(environment: Environment): Pick<OnAttachment, 'id' | 'mayUseOwnNetns'> {
  const override = (environment['CNI_NETNS_OVERRIDE'] ?? '').toUpperCase();
  return {
    id: {
      containerId: parseContainerId(environment['CNI_CONTAINERID'] ?? ''),
      interfaceName: parseInterfaceName(environment['CNI_IFNAME'] ?? ''),
    },
    mayUseOwnNetns: override === '1' || override === 'TRUE',
  };
}

// With a setting that cannot be used no ADD has succeeded, but pods of before it was made still have to go: an error would keep them.
function parseDel(raw: JsonObject, environment: Environment): Omit<DelRequest, 'pluginPath'> {
  const ignored = new Set<string>();
  const config = parseNetworkConfig(raw, environment, ({ message }) => ignored.add(message));
  const sandboxPath = environment['CNI_NETNS'] ?? '';
  return {
    verb: 'DEL',
    config,
    ...parseTarget(environment),
    sandboxPath: sandboxPath === '' ? undefined : sandboxPath,
    args: parseDelArgs(environment['CNI_ARGS'] ?? '', ignored),
    ignored: [...ignored],
  };
}

function parseDelArgs(raw: string, ignored: Set<string>): CniArgs {
  try {
    return parseCniArgs(raw);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    ignored.add(error.message);
    return UNREADABLE_CNI_ARGS;
  }
}
