import { parseContainerId, parseInterfaceName, type AttachmentId } from '../cni/attachment-id.ts';
import { parseCniArgs, UNREADABLE_CNI_ARGS, type CniArgs } from '../cni/cni-args.ts';
import { VERBS, findVerb, assertUsableEnvironment, type Environment, type Verb } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { parseJsonObject } from '../json/json.ts';
import { parseNetworkConfig, parseNetworkHeader, type NetworkConfig, type NetworkHeader } from './network-config.ts';
import { quote } from '../json/quote.ts';
import { NEWEST_VERSION, isAtLeast, type CniVersion } from '../cni/versions.ts';

/** One call of the plugin by a runtime. */
export type CniRequest = AttachmentRequest | DelRequest | GcRequest | StatusRequest | VersionRequest;

export interface AttachmentRequest extends OnAttachment {
  readonly verb: 'ADD' | 'CHECK';
  /** CNI_NETNS as given. */
  readonly sandboxPath: string;
}

export interface DelRequest extends OnAttachment {
  readonly verb: 'DEL';
  /** `undefined` if the runtime reports that the sandbox is gone. */
  readonly sandboxPath: string | undefined;
  /** Messages about invalid settings that count as absent, for the log: DEL continues without them. */
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
  /** The version to echo. */
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

/** The input of the process. */
export interface RequestInput {
  readonly environment: Environment;
  /** For VERSION, only the version to echo is read, and the input may be empty. */
  readonly stdin: Uint8Array;
}

/**
 * Parses a runtime's request. If several things are wrong, it reports the same one as plugins written in Go, because
 * tools rely on it: the format of a variable, missing variables, the text of the configuration, its name, its
 * version, the command, then the rest.
 *
 * @throws {CniError} invalidEnvironment (4), undecodable (6), invalidConfig (7) or incompatibleVersion (1) in that
 *   order, then invalidEnvironment (4) for an unknown command, then invalidConfig (7) or invalidEnvironment (4) for
 *   the rest
 * @see containernetworking/cni pkg/skel, getCmdArgsFromEnv
 */
export function parseRequest({ environment, stdin }: RequestInput): CniRequest {
  assertUsableEnvironment(environment);
  const command = environment['CNI_COMMAND'] ?? '';
  const verb = findVerb(command);
  if (verb === 'VERSION') return { verb, cniVersion: requestCniVersion({ stdin }) };
  const header = parseNetworkHeader(parseJsonObject(stdin, 'the network configuration on standard input'));
  if (verb === undefined) throw unknownCommandError(command);
  assertVersionHasVerb(header.cniVersion, verb);
  const pluginPath = (environment['CNI_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  switch (verb) {
    case 'ADD':
    case 'CHECK':
      return {
        verb,
        config: parseNetworkConfig(header, environment),
        ...parseTarget(environment),
        sandboxPath: environment['CNI_NETNS'] ?? '',
        args: parseCniArgs(environment['CNI_ARGS'] ?? ''),
        pluginPath,
      };
    case 'DEL':
      return { ...parseDel(header, environment), pluginPath };
    case 'GC':
    case 'STATUS':
      return { verb, pluginPath, config: parseNetworkConfig(header, environment) };
    default:
      return verb satisfies never;
  }
}

/**
 * Reads the request's `cniVersion`, which the response repeats even if something else in the request is invalid: 1.1.0
 * if it cannot be read. It can be an unsupported version.
 */
export function requestCniVersion({ stdin }: Pick<RequestInput, 'stdin'>): string {
  try {
    const given = parseJsonObject(stdin)['cniVersion'];
    return typeof given === 'string' && /^[0-9]{1,5}(?:\.[0-9]{1,5}){0,2}$/.test(given) ? given : NEWEST_VERSION;
  } catch {
    return NEWEST_VERSION;
  }
}

function unknownCommandError(command: string): CniError {
  const details = `known are ${Object.keys(VERBS).join(', ')}`;
  return new CniError(ERROR_CODE.invalidEnvironment, `unknown CNI_COMMAND: ${quote(command)}`, { details });
}

function assertVersionHasVerb(version: CniVersion, verb: Verb): void {
  if (isAtLeast(version, VERBS[verb].since)) return;
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

// No ADD succeeds with an invalid setting, but pods that were attached before it was made must still be deleted: an
// error would keep them.
function parseDel(header: NetworkHeader, environment: Environment): Omit<DelRequest, 'pluginPath'> {
  const ignored = new Set<string>();
  const config = parseNetworkConfig(header, environment, ({ message }) => ignored.add(message));
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
