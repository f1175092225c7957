import type { MacAddress } from '../address/mac-address.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import type { StepOf } from '../plan/step.ts';
import {
  decodeAttributes,
  decodePayload,
  decodeText,
  decodeUint32,
  encodePayload,
  optionalAttribute,
  type Attribute,
  type NetlinkRequest,
} from './message.ts';
import {
  AF,
  IFF_UP,
  IFLA,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO,
  IN6_ADDR_GEN_MODE,
  NLM_F,
  RTEXT_FILTER_SKIP_STATS,
  RTM,
  VETH_INFO_PEER,
} from './constants.ts';

/** struct ifinfomsg */
const HEADER_BYTES = 16;

/**
 * The request that creates both ends of a veth. It is for a socket of the sandbox: the host end is the peer, and the
 * kernel creates it in the network namespace that a file descriptor refers to.
 *
 * The request contains the MAC addresses because udev replaces the MAC of an interface that was created without one.
 */
export function createVethRequest(step: StepOf<'create-veth'>, hostNetnsFd: number): NetlinkRequest {
  const { host, container } = step;
  const shared: readonly Attribute[] = [
    ...optionalAttribute(IFLA.MTU, step.mtuBytes),
    ...optionalAttribute(IFLA.NUM_TX_QUEUES, step.queueCount),
    ...optionalAttribute(IFLA.NUM_RX_QUEUES, step.queueCount),
  ];
  const peer = encodePayload(linkHeader({}), [
    [IFLA.IFNAME, host.name],
    [IFLA.ADDRESS, macBytes(host.mac)],
    ...shared,
    [IFLA.NET_NS_FD, hostNetnsFd],
  ]);
  const payload = encodePayload(linkHeader({}), [
    [IFLA.IFNAME, container.name],
    ...optionalAttribute(IFLA.ADDRESS, container.mac && macBytes(container.mac)),
    ...shared,
    [
      IFLA.LINKINFO,
      [
        [IFLA_INFO.KIND, 'veth'],
        [IFLA_INFO.DATA, [[VETH_INFO_PEER, peer]]],
      ],
    ],
  ]);
  return { type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

/** The request that sets the alias of an interface. The kernel ignores an alias in the request that creates a veth. */
export function setAliasRequest(index: number, alias: string): NetlinkRequest {
  // The alias is sent without a NUL, which the kernel would count as one of its bytes.
  const payload = encodePayload(linkHeader({ index }), [[IFLA.IFALIAS, Buffer.from(alias)]]);
  return { type: RTM.NEWLINK, flags: 0, payload };
}

/** The request that sets an interface up. */
export function setUpRequest(name: string): NetlinkRequest {
  const payload = encodePayload(linkHeader({ flags: IFF_UP, change: IFF_UP }), [[IFLA.IFNAME, name]]);
  return { type: RTM.NEWLINK, flags: 0, payload };
}

/** How the kernel makes the IPv6 link-local address of an interface: from its MAC, or not at all. */
export type AddressGeneration = keyof typeof IN6_ADDR_GEN_MODE;

/** The request that sets how the kernel makes the link-local address. It adds and removes no address. */
export function setAddressGenerationRequest(index: number, generation: AddressGeneration): NetlinkRequest {
  const mode = Buffer.of(IN6_ADDR_GEN_MODE[generation]);
  const payload = encodePayload(linkHeader({ index }), [
    [IFLA.AF_SPEC, [[AF.INET6, [[IFLA_INET6_ADDR_GEN_MODE, mode]]]]],
  ]);
  return { type: RTM.NEWLINK, flags: 0, payload };
}

/** The request for one interface, by its name or by its index. */
export function getLinkRequest(by: string | number): NetlinkRequest {
  const payload =
    typeof by === 'string'
      ? encodePayload(linkHeader({}), [[IFLA.IFNAME, by], WITHOUT_STATISTICS])
      : encodePayload(linkHeader({ index: by }), [WITHOUT_STATISTICS]);
  return { type: RTM.GETLINK, flags: 0, payload };
}

/** The request for all interfaces. */
export function dumpLinksRequest(): NetlinkRequest {
  return { type: RTM.GETLINK, flags: NLM_F.DUMP, payload: encodePayload(linkHeader({}), [WITHOUT_STATISTICS]) };
}

const WITHOUT_STATISTICS: Attribute = [IFLA.EXT_MASK, RTEXT_FILTER_SKIP_STATS];

/** The request that deletes an interface by its index. If it is one end of a veth, the kernel deletes the other end too. */
export function deleteLinkRequest(index: number): NetlinkRequest {
  return { type: RTM.DELLINK, flags: 0, payload: encodePayload(linkHeader({ index }), []) };
}

/**
 * Decodes the payload of the reply to {@link getLinkRequest}, or one payload of the reply to {@link dumpLinksRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeLink(payload: Uint8Array): ObservedInterface {
  const { header, attributes } = decodePayload(payload, HEADER_BYTES);
  const linkInfo = attributes.get(IFLA.LINKINFO);
  return {
    index: header.readInt32LE(4),
    name: decodeText(attributes.get(IFLA.IFNAME)) ?? '',
    mac: macText(attributes.get(IFLA.ADDRESS) ?? Buffer.alloc(0)),
    mtuBytes: decodeUint32(attributes.get(IFLA.MTU)) ?? 0,
    alias: decodeText(attributes.get(IFLA.IFALIAS)) || undefined,
    linkKind: linkInfo && decodeText(decodeAttributes(linkInfo).get(IFLA_INFO.KIND)),
    peerIndex: decodeUint32(attributes.get(IFLA.LINK)),
    isUp: (header.readUInt32LE(8) & IFF_UP) !== 0,
  };
}

function linkHeader({ index = 0, flags = 0, change = 0 }: { index?: number; flags?: number; change?: number }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(change, 12);
  return header;
}

function macBytes(mac: MacAddress): Uint8Array {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

// Does not use parseMacAddress, which rejects what a pod interface cannot have: the MAC of `lo` is 00:00:00:00:00:00.
function macText(bytes: Buffer): MacAddress {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') as MacAddress;
}
