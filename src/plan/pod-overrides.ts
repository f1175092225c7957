import { AddressError, parseIpAddress } from '../address/ip-address.ts';
import { parseCidr } from '../address/cidr.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { MacAddressError, parseMacAddress, type MacAddress } from '../address/mac-address.ts';

/** What the owner of a pod may ask of its attachment. */
export interface PodOverrides {
  readonly mac: MacAddress | undefined;
}

/** The features of the netconf's `feature_control` that a pod's annotation may need. */
export interface EnabledFeatures {
  readonly floatingIpsEnabled: boolean;
}

const PREFIX = 'cni.projectcalico.org/';

/**
 * The wishes that stand in the Pod's annotations.
 *
 * `allowedSourcePrefixes` and `floatingIPs` are the agent's to carry out: it reads them from the Pod. They are checked here, because a
 * pod that starts with a bad one would run without what it asked for, and nobody would be told.
 *
 * @throws {CniError} 105 naming the annotation: a bad value, one that a delegate with node-local ranges cannot grant, or `floatingIPs`
 *   without its feature
 */
export function parsePodOverrides(
  annotations: Readonly<Record<string, string>>,
  { floatingIpsEnabled }: EnabledFeatures,
): PodOverrides {
  const read = <Value>(name: string, parse: (text: string) => Value): Value | undefined => {
    const text = annotations[PREFIX + name];
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (cause) {
      throw refusal(name, cause instanceof Error ? cause.message : String(cause), cause);
    }
  };

  for (const name of ['ipAddrs', 'ipAddrsNoIpam']) {
    read(name, () => {
      throw new SyntaxError('a pod cannot choose its address where each node has its own range; remove the annotation');
    });
  }
  read('allowedSourcePrefixes', (text) => parseList(text).map(parseCidr));
  read('floatingIPs', (text) => {
    if (!floatingIpsEnabled) {
      throw new SyntaxError(
        'floating IPs are off; remove the annotation, or set feature_control.floating_ips in the netconf',
      );
    }
    parseList(text).map(parseIpAddress);
  });
  return { mac: read('hwAddr', parseMacAddress) };
}

function parseList(text: string): string[] {
  const wanted = 'a JSON list of strings is wanted';
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`it is no JSON; ${wanted}`, { cause });
  }
  if (!Array.isArray(list)) throw new SyntaxError(wanted);
  return list.map((entry: unknown) => {
    if (typeof entry !== 'string') throw new SyntaxError(wanted);
    return entry;
  });
}

function refusal(name: string, why: string, cause: unknown): CniError {
  const ordinary = cause instanceof AddressError || cause instanceof MacAddressError || cause instanceof SyntaxError;
  return new CniError(
    ordinary ? ERROR_CODE.invalidAnnotation : ERROR_CODE.internal,
    `the pod's annotation ${PREFIX}${name} cannot be granted: ${why}`,
    { cause },
  );
}
