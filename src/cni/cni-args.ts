import { isDnsLabel, isDnsSubdomain } from '../json/dns-name.ts';
import { CniError, ERROR_CODE } from './error.ts';
import { quote } from '../json/quote.ts';

/** What CNI_ARGS says of the pod. */
export interface CniArgs {
  readonly pod: PodReference | undefined;
  readonly podUid: string | undefined;
  /** As it came: the delegate gets it by its environment. */
  readonly raw: string;
}

/** A Pod's place in the API. Both names follow RFC 1123. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
}

// IP is for the delegate, which says what it accepts.
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
 * CNI_ARGS, `KEY=VALUE` with `;` between them.
 *
 * As strict as the Go library with which the delegate reads it: each pair has exactly one `=`, so no `;;` and no `;` at the end; the
 * last of a key counts; unknown keys are an error unless IgnoreUnknown is `1` or `true`.
 *
 * @throws {CniError} 4, also for a pod's name without a namespace and the reverse
 * @see containernetworking/cni pkg/types, LoadArgs
 */
export function parseCniArgs(raw: string): CniArgs {
  const pairs = new Map(raw === '' ? [] : raw.split(';').map(parsePair));
  refuseUnknown(pairs);
  const uid = pairs.get('K8S_POD_UID') ?? '';
  if (uid !== '' && !/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(uid)) {
    throw refusal(
      `K8S_POD_UID is ${quote(uid)}; it must be 1 to 128 letters, digits, "_", ".", ":" and "-", as the uid of a Pod is`,
    );
  }
  return { pod: findPod(pairs), podUid: uid === '' ? undefined : uid, raw };
}

/** What is left of CNI_ARGS that cannot be read, for a DEL that goes on without: the delegate could not read them either. */
export const UNREADABLE_CNI_ARGS: CniArgs = { pod: undefined, podUid: undefined, raw: '' };

function parsePair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 0 || equals !== pair.lastIndexOf('='))
    throw refusal(`${quote(pair)} is no KEY=VALUE with exactly one "="`);
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function refuseUnknown(pairs: ReadonlyMap<string, string>): void {
  const given = pairs.get('IgnoreUnknown') ?? 'false';
  const ignoreUnknown = BOOLEANS.get(given.toLowerCase());
  if (ignoreUnknown === undefined) throw refusal(`IgnoreUnknown is ${quote(given)}; it must be 1, true, 0 or false`);
  if (ignoreUnknown) return;
  for (const key of pairs.keys()) {
    if (!KNOWN_KEYS.has(key))
      throw refusal(`${quote(key)} is unknown to this plugin; leave it out or add IgnoreUnknown=1`);
  }
}

function findPod(pairs: ReadonlyMap<string, string>): PodReference | undefined {
  const namespace = pairs.get('K8S_POD_NAMESPACE') ?? '';
  const name = pairs.get('K8S_POD_NAME') ?? '';
  if (namespace === '' && name === '') return undefined;
  if (!isDnsLabel(namespace)) {
    throw refusal(
      `K8S_POD_NAMESPACE is ${quote(namespace)} and K8S_POD_NAME ${quote(name)}; a pod has both, and the first must be a namespace's name (RFC 1123)`,
    );
  }
  if (!isDnsSubdomain(name)) {
    throw refusal(
      `K8S_POD_NAME is ${quote(name)} and K8S_POD_NAMESPACE ${quote(namespace)}; a pod has both, and the first must be a pod's name (RFC 1123)`,
    );
  }
  return { namespace, name };
}

function refusal(why: string): CniError {
  return new CniError(ERROR_CODE.invalidEnvironment, `CNI_ARGS cannot be used: ${why}`);
}
