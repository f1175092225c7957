import { formatCidr, type Cidr } from '../address/cidr.ts';
import { FAMILIES, type Family } from '../address/family.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isJsonObject, omitMembers, type JsonObject, type JsonValue } from '../json/json.ts';
import { CIDR } from '../json/shapes.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';

/** One call of the delegate: the name of its program, and the configuration that it gets on stdin. */
export interface Delegation {
  readonly type: string;
  readonly config: JsonObject;
}

/** A delegation for ADD. */
export interface Allocation extends Delegation {
  /** The families that the configuration's ranges ask for. Empty if it has no range. */
  readonly families: readonly Family[];
}

/** The podCIDRs of a Node, and its name for the message if one is missing. */
export interface PodCidrSource {
  readonly nodeName: string;
  readonly podCidrs: readonly Cidr[];
}

const POD_CIDR_WORDS: readonly { readonly word: string; readonly family: Family }[] = [
  { word: 'usepodcidr', family: 'ipv4' },
  { word: 'usepodcidripv6', family: 'ipv6' },
];

// RFC 5737 keeps this network for documentation: no pod can have an address of it.
const RELEASE_RANGES: JsonValue = [[{ subnet: '192.0.2.0/24' }]];

/** True if a subnet must be replaced by the podCIDR of the Node, so that the Node must be read. */
export function needsPodCidr({ ipam }: Pick<NetworkConfig, 'ipam'>): boolean {
  return subnetsOf(ipam).some((subnet) => podCidrFamily(subnet) !== undefined);
}

/**
 * Plans the delegate's ADD: the network configuration, with `usePodCidr` and `usePodCidrIPv6` replaced by the podCIDRs
 * of the Node.
 *
 * @throws {CniError} invalidConfig (7) naming Node and family, if the Node has no podCIDR of a family that ipam asks for
 */
export function planAllocation(config: NetworkConfig, node: PodCidrSource | undefined): Allocation {
  const ipam = replaceSubnets(config.ipam, (subnet) => {
    const family = podCidrFamily(subnet);
    return family === undefined ? subnet : formatCidr(findPodCidr(family, node));
  });
  return { type: config.delegateType, config: withIpam(config, ipam), families: familiesOf(config) };
}

/**
 * Plans a call of the delegate about leases that exist, for every command except ADD. It does not need the Node: the
 * delegate finds a lease by its container id and interface.
 *
 * host-local still requires a valid range. With the configured ranges, a range that it rejected on ADD, or two that
 * overlap, would make every DEL fail. So it gets a single range that is always valid. The configuration of another
 * plugin passes through unchanged.
 */
export function planLookup(config: NetworkConfig, network = config.name): Delegation {
  const { ipam, delegateType: type } = config;
  const named = { ...config, raw: { ...config.raw, name: network } };
  if (type !== 'host-local') return { type, config: withIpam(named, ipam) };
  const kept = omitMembers(ipam, ['subnet', 'rangeStart', 'rangeEnd', 'gateway']);
  const released = withIpam(named, { ...kept, ranges: RELEASE_RANGES });
  const { runtimeConfig } = released;
  const ownRanges = isJsonObject(runtimeConfig) ? { runtimeConfig: omitMembers(runtimeConfig, ['ipRanges']) } : {};
  return { type, config: { ...released, ...ownRanges } };
}

// The delegate allocates addresses and needs no access to the API; what it gets may end in its logs.
function withIpam({ raw }: NetworkConfig, ipam: JsonObject): JsonObject {
  return { ...omitMembers(raw, ['policy', 'kubernetes']), ipam };
}

function findPodCidr(family: Family, node: PodCidrSource | undefined): Cidr {
  const podCidr = node?.podCidrs.find(({ address }) => address.family === family);
  if (podCidr !== undefined) return podCidr;
  const label = FAMILIES.find(({ name }) => name === family)?.label;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `node ${node?.nodeName} has no ${label} podCIDR, which ipam asks for; give the controller manager ` +
      `--allocate-node-cidrs and a --cluster-cidr of that family, or set spec.podCIDRs of the node`,
    { details: `podCIDRs of the node: ${node?.podCidrs.map(formatCidr).join(', ') || 'none'}`, finding: 'PW301' },
  );
}

function podCidrFamily(subnet: string): Family | undefined {
  return POD_CIDR_WORDS.find(({ word }) => word === subnet.toLowerCase())?.family;
}

/** True if pods may get an IPv4 address. */
export function asksForIpv4(config: Pick<NetworkConfig, 'ipam' | 'raw'>): boolean {
  const families = familiesOf(config);
  return families.length === 0 || families.includes('ipv4');
}

function familiesOf({ ipam, raw: { runtimeConfig } }: Pick<NetworkConfig, 'ipam' | 'raw'>): readonly Family[] {
  // The capability `ipRanges`: host-local takes these ranges in addition to its own.
  const ranges = isJsonObject(runtimeConfig) ? (runtimeConfig['ipRanges'] ?? []) : [];
  // A subnet that is not valid has no family. The delegate reports errors in its own configuration.
  const families = [...subnetsOf(ipam), ...subnetsOf({ ranges })].map(
    (subnet) => podCidrFamily(subnet) ?? CIDR.parse(subnet)?.address.family,
  );
  return FAMILIES.map(({ name }) => name).filter((name) => families.includes(name));
}

function subnetsOf(ipam: JsonObject): readonly string[] {
  const subnets: string[] = [];
  replaceSubnets(ipam, (subnet) => {
    subnets.push(subnet);
    return subnet;
  });
  return subnets;
}

/**
 * Replaces each `subnet` of `ipam`: the one next to `type`, which is the old form, and those in `ranges`. Everything else
 * passes through unchanged.
 */
function replaceSubnets(ipam: JsonObject, replace: (subnet: string) => string): JsonObject {
  const inRange = (range: JsonValue): JsonValue =>
    isJsonObject(range) && typeof range['subnet'] === 'string' ? { ...range, subnet: replace(range['subnet']) } : range;
  const inRangeSet = (rangeSet: JsonValue): JsonValue => (Array.isArray(rangeSet) ? rangeSet.map(inRange) : rangeSet);
  const { ranges, subnet } = ipam;
  return {
    ...ipam,
    ...(typeof subnet === 'string' ? { subnet: replace(subnet) } : {}),
    ...(Array.isArray(ranges) ? { ranges: ranges.map(inRangeSet) } : {}),
  };
}
