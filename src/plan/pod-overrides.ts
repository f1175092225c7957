import { AddressError, parseIpAddress } from '../address/ip-address.ts';
import { parseCidr } from '../address/cidr.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { MacAddressError, parseMacAddress, type MacAddress } from '../address/mac-address.ts';

/** What the annotations of a pod change about its attachment. */
export interface PodOverrides {
  readonly mac: MacAddress | undefined;
}

/** The features of `feature_control` in the network configuration that annotations of a pod can require. */
export interface EnabledFeatures {
  readonly floatingIpsEnabled: boolean;
}

type Annotations = Readonly<Record<string, string>>;

const PREFIX = 'cni.projectcalico.org/';

/**
 * Parses the annotations of a Pod that change its attachment.
 *
 * `allowedSourcePrefixes` and `floatingIPs` are applied by the agent, which reads them from the Pod. They are
 * validated here too, because with an invalid value the pod would start without the feature, and nothing would report it.
 *
 * @throws {CniError} invalidAnnotation (105) for an invalid value, for an address that the pod chooses, and for
 *   `floatingIPs` while this feature is off
 */
export function parsePodOverrides(annotations: Annotations, { floatingIpsEnabled }: EnabledFeatures): PodOverrides {
  for (const name of ['ipAddrs', 'ipAddrsNoIpam']) {
    rejectIfPresent(
      annotations,
      name,
      'a pod cannot choose its address, because each node has its own range; remove the annotation',
    );
  }
  if (!floatingIpsEnabled) {
    rejectIfPresent(
      annotations,
      'floatingIPs',
      'floating IPs are off; remove the annotation, or set feature_control.floating_ips in the network configuration',
    );
  }
  parseAnnotation(annotations, 'allowedSourcePrefixes', (text) => parseList(text).map(parseCidr));
  parseAnnotation(annotations, 'floatingIPs', (text) => parseList(text).map(parseIpAddress));
  return { mac: parseAnnotation(annotations, 'hwAddr', parseMacAddress) };
}

function rejectIfPresent(annotations: Annotations, name: string, reason: string): void {
  if (annotations[PREFIX + name] !== undefined) throw annotationError(name, reason);
}

function parseAnnotation<Value>(
  annotations: Annotations,
  name: string,
  parse: (text: string) => Value,
): Value | undefined {
  const text = annotations[PREFIX + name];
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (cause) {
    const isInvalid = cause instanceof AddressError || cause instanceof MacAddressError || cause instanceof SyntaxError;
    throw isInvalid ? annotationError(name, `${cause.message}; correct or remove the annotation`, cause) : cause;
  }
}

function parseList(text: string): readonly string[] {
  const list = parseJson(text);
  const isString = (entry: unknown): entry is string => typeof entry === 'string';
  if (!Array.isArray(list) || !list.every(isString)) throw new SyntaxError('expected a JSON list of strings');
  return list;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError('expected a JSON list of strings, got text that is not JSON', { cause });
  }
}

function annotationError(name: string, reason: string, cause?: unknown): CniError {
  return new CniError(ERROR_CODE.invalidAnnotation, `cannot apply the pod annotation ${PREFIX}${name}: ${reason}`, {
    cause,
  });
}
