import type { Cidr } from '../address/cidr.ts';
import type { JsonReader } from '../json/json-reader.ts';
import { CIDR, NON_EMPTY_STRING } from '../json/shapes.ts';

/** The parts of a Node that podwire uses. */
export interface Node {
  readonly name: string;
  readonly uid: string;
  /** At most one of each family, in the API's order, which may put IPv6 first. Empty if the cluster assigns none. */
  readonly podCidrs: readonly Cidr[];
}

/**
 * Parses a Node of the API. Clusters from before dual stack wrote only `spec.podCIDR`.
 *
 * @throws {Error} the reader's, naming the field
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
 */
export function parseNode(node: JsonReader): Node {
  const metadata = node.requireObject('metadata');
  return {
    name: metadata.require('name', NON_EMPTY_STRING),
    uid: metadata.require('uid', NON_EMPTY_STRING),
    podCidrs: parsePodCidrs(node.requireObject('spec')),
  };
}

function parsePodCidrs(spec: JsonReader): readonly Cidr[] {
  const podCidrs = spec.readList('podCIDRs', CIDR);
  if (podCidrs.length > 0) return podCidrs;
  const podCidr = spec.readUnlessZero('podCIDR', CIDR);
  return podCidr === undefined ? [] : [podCidr];
}
