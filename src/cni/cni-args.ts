import { isDnsLabel, isDnsSubdomain } from '../json/dns-name.ts';
import { CniError, ERROR_CODE } from './error.ts';
import { quote } from '../json/quote.ts';

/** What CNI_ARGS says about the pod. */
export interface CniArgs {
  readonly pod: PodReference | undefined;
  readonly podUid: string | undefined;
  /** Unchanged: the delegate receives it in its environment. */
  readonly raw: string;
}

/** The namespace and name of a Pod. Both follow RFC 1123. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
}

// IP is for the delegate, which checks it.
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'IgnoreUnknown',
  'IP',
  'K8S_POD_NAMESPACE',
  'K8S_POD_NAME',
  'K8S_POD_UID',
  'K8S_POD_INFRA_CONTAINER_ID',
]);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['true', true],
  ['0', false],
  ['false', false],
]);

/**
 * Parses CNI_ARGS: pairs `KEY=VALUE`, separated by `;`.
 *
 * It is as strict as the Go library with which the delegate parses the same text: each pair has exactly one `=`, so
 * there is no `;;` and no `;` at the end; the last pair of a key counts; unknown keys are an error unless
 * IgnoreUnknown is `1` or `true`.
 *
 * @throws {CniError} invalidEnvironment (4), also for the name of a Pod without its namespace and the reverse
 * @see containernetworking/cni pkg/types, LoadArgs
 */
export function parseCniArgs(raw: string): CniArgs {
  const pairs = new Map(raw === '' ? [] : raw.split(';').map(parsePair));
  assertKnownKeys(pairs);
  const uid = pairs.get('K8S_POD_UID') ?? '';
  if (uid !== '' && !/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(uid)) {
    throw cniArgsError(
      `K8S_POD_UID: expected the uid of a Pod, 1 to 128 letters, digits, "_", ".", ":" and "-", got ${quote(uid)}`,
    );
  }
  return { pod: findPod(pairs), podUid: uid === '' ? undefined : uid, raw };
}

/**
 * Replaces CNI_ARGS that cannot be parsed, for a DEL that continues without them: the delegate could not parse them
 * either.
 */
export const UNREADABLE_CNI_ARGS: CniArgs = { pod: undefined, podUid: undefined, raw: '' };

function parsePair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 0 || equals !== pair.lastIndexOf('=')) {
    throw cniArgsError(`expected KEY=VALUE with exactly one "=", got ${quote(pair)}`);
  }
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function assertKnownKeys(pairs: ReadonlyMap<string, string>): void {
  const given = pairs.get('IgnoreUnknown') ?? 'false';
  const ignoreUnknown = BOOLEANS.get(given.toLowerCase());
  if (ignoreUnknown === undefined) {
    throw cniArgsError(`IgnoreUnknown: expected 1, true, 0 or false, got ${quote(given)}`);
  }
  if (ignoreUnknown) return;
  for (const key of pairs.keys()) {
    if (!KNOWN_KEYS.has(key)) {
      throw cniArgsError(`this plugin does not know ${quote(key)}; leave it out or add IgnoreUnknown=1`);
    }
  }
}

function findPod(pairs: ReadonlyMap<string, string>): PodReference | undefined {
  const namespace = pairs.get('K8S_POD_NAMESPACE') ?? '';
  const name = pairs.get('K8S_POD_NAME') ?? '';
  if (namespace === '' && name === '') return undefined;
  if (!isDnsLabel(namespace)) {
    throw cniArgsError(
      `K8S_POD_NAMESPACE: expected the name of a namespace (RFC 1123), got ${quote(namespace)}; ` +
        `a pod has both this and K8S_POD_NAME, which is ${quote(name)}`,
    );
  }
  if (!isDnsSubdomain(name)) {
    throw cniArgsError(
      `K8S_POD_NAME: expected the name of a pod (RFC 1123), got ${quote(name)}; ` +
        `a pod has both this and K8S_POD_NAMESPACE, which is ${quote(namespace)}`,
    );
  }
  return { namespace, name };
}

function cniArgsError(why: string): CniError {
  return new CniError(ERROR_CODE.invalidEnvironment, `CNI_ARGS cannot be used: ${why}`);
}
