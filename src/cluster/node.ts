import { parseCidr, type Cidr } from '../address/cidr.ts';
import { AddressError } from '../address/ip-address.ts';
import { parseFields, parseList, parseOptionalText, parseText, ShapeError } from './fields.ts';

/** What podwire wants to know of a Node. */
export interface Node {
  readonly name: string;
  readonly uid: string;
  /** At most one of each family, in the API's order, which may name IPv6 first. Empty when the cluster hands out none. */
  readonly podCidrs: readonly Cidr[];
}

/**
 * A Node from the API's JSON. `spec.podCIDR` alone is what clusters without dual stack once wrote.
 *
 * @throws {ShapeError} for anything that is no Node, or whose podCIDRs are no networks
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
 */
export function parseNode(value: unknown): Node {
  const node = parseFields(value, 'the answer');
  const metadata = parseFields(node['metadata'], 'metadata');
  const spec = parseFields(node['spec'], 'spec');
  return {
    name: parseText(metadata['name'], 'metadata.name'),
    uid: parseText(metadata['uid'], 'metadata.uid'),
    podCidrs: parsePodCidrs(spec['podCIDRs'], spec['podCIDR']),
  };
}

function parsePodCidrs(list: unknown, single: unknown): readonly Cidr[] {
  const cidrs = parseList(list, 'spec.podCIDRs').map((entry, index) => parsePodCidr(entry, `spec.podCIDRs[${index}]`));
  if (cidrs.length > 0) return cidrs;
  const text = parseOptionalText(single, 'spec.podCIDR');
  return text === undefined ? [] : [parsePodCidr(text, 'spec.podCIDR')];
}

function parsePodCidr(value: unknown, where: string): Cidr {
  try {
    return parseCidr(parseText(value, where));
  } catch (cause) {
    if (cause instanceof AddressError) throw new ShapeError(`${where}: ${cause.message}`, { cause });
    throw cause;
  }
}
