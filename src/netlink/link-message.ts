import type { MacAddress } from '../address/mac-address.ts';
import type { Step } from '../plan/step.ts';
import type { ObservedInterface } from './observed-interface.ts';
import {
  decodeAttributes,
  decodeText,
  decodeUint32,
  encodePayload,
  type Attribute,
  type NetlinkRequest,
} from './message.ts';
import { IFF_UP, IFLA, IFLA_INFO, NLM_F, RTEXT_FILTER_SKIP_STATS, RTM, VETH_INFO_PEER } from './constants.ts';

/** struct ifinfomsg */
const HEADER_BYTES = 16;

/**
 * Makes both ends of a veth at once. For a socket of the sandbox: the host end is the peer, made in the host's namespace.
 *
 * The MACs are in the request, because udev changes the MAC of an interface that was made without one.
 */
export function createVethRequest(step: Extract<Step, { kind: 'create-veth' }>, hostNetnsFd: number): NetlinkRequest {
  const { host, container } = step;
  const shared: readonly Attribute[] = [
    ...optional(IFLA.MTU, step.mtuBytes),
    ...optional(IFLA.NUM_TX_QUEUES, step.queueCount),
    ...optional(IFLA.NUM_RX_QUEUES, step.queueCount),
  ];
  const peer = encodePayload(linkHeader({}), [
    [IFLA.IFNAME, host.name],
    [IFLA.ADDRESS, macBytes(host.mac)],
    ...shared,
    [IFLA.NET_NS_FD, hostNetnsFd],
  ]);
  const attributes: readonly Attribute[] = [
    [IFLA.IFNAME, container.name],
    ...optional(IFLA.ADDRESS, container.mac && macBytes(container.mac)),
    ...shared,
    [
      IFLA.LINKINFO,
      [
        [IFLA_INFO.KIND, 'veth'],
        [IFLA_INFO.DATA, [[VETH_INFO_PEER, peer]]],
      ],
    ],
  ];
  return { type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload: encodePayload(linkHeader({}), attributes) };
}

/** The request that makes a veth takes no alias: the kernel ignores it there. */
export function setAliasRequest(index: number, alias: string): NetlinkRequest {
  // Without the NUL: the kernel would count it as one of the alias's bytes.
  return {
    type: RTM.NEWLINK,
    flags: 0,
    payload: encodePayload(linkHeader({ index }), [[IFLA.IFALIAS, Buffer.from(alias)]]),
  };
}

export function setUpRequest(name: string): NetlinkRequest {
  return linkRequest(RTM.NEWLINK, linkHeader({ flags: IFF_UP, change: IFF_UP }), name);
}

export function getLinkRequest(by: string | number): NetlinkRequest {
  const wanted: readonly Attribute[] = [[IFLA.EXT_MASK, RTEXT_FILTER_SKIP_STATS]];
  if (typeof by === 'string') return linkRequest(RTM.GETLINK, linkHeader({}), by, wanted);
  return { type: RTM.GETLINK, flags: 0, payload: encodePayload(linkHeader({ index: by }), wanted) };
}

/** Every interface. */
export function dumpLinksRequest(): NetlinkRequest {
  const payload = encodePayload(linkHeader({}), [[IFLA.EXT_MASK, RTEXT_FILTER_SKIP_STATS]]);
  return { type: RTM.GETLINK, flags: NLM_F.DUMP, payload };
}

export function deleteLinkRequest(name: string): NetlinkRequest {
  return linkRequest(RTM.DELLINK, linkHeader({}), name);
}

/**
 * The answer to {@link getLinkRequest}, or one of those to {@link dumpLinksRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeLink(payload: Uint8Array): ObservedInterface {
  const attributes = decodeAttributes(payload, HEADER_BYTES);
  const header = Buffer.from(payload.buffer, payload.byteOffset, HEADER_BYTES);
  const linkInfo = attributes.get(IFLA.LINKINFO);
  return {
    index: header.readInt32LE(4),
    name: decodeText(attributes.get(IFLA.IFNAME)) ?? '',
    mac: macText(attributes.get(IFLA.ADDRESS) ?? Buffer.alloc(0)),
    mtuBytes: decodeUint32(attributes.get(IFLA.MTU)) ?? 0,
    alias: decodeText(attributes.get(IFLA.IFALIAS)) || undefined,
    linkKind: linkInfo && decodeText(decodeAttributes(linkInfo, 0).get(IFLA_INFO.KIND)),
    isUp: (header.readUInt32LE(8) & IFF_UP) !== 0,
  };
}

/**
 * The index that a veth's other end has in its own namespace.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodePeerIndex(payload: Uint8Array): number | undefined {
  return decodeUint32(decodeAttributes(payload, HEADER_BYTES).get(IFLA.LINK));
}

function linkRequest(
  type: number,
  header: Uint8Array,
  name: string,
  attributes: readonly Attribute[] = [],
): NetlinkRequest {
  return { type, flags: 0, payload: encodePayload(header, [[IFLA.IFNAME, name], ...attributes]) };
}

function linkHeader({
  index = 0,
  flags = 0,
  change = 0,
}: {
  index?: number;
  flags?: number;
  change?: number;
}): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(change, 12);
  return header;
}

function optional(type: number, value: Uint8Array | number | undefined): readonly Attribute[] {
  return value === undefined ? [] : [[type, value]];
}

function macBytes(mac: MacAddress): Uint8Array {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

// Not parseMacAddress: that refuses what a pod's interface cannot have, and `lo` has 00:00:00:00:00:00.
function macText(bytes: Buffer): MacAddress {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') as MacAddress;
}
