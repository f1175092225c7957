import type { Cidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import { addressFromBytes } from '../address/ip-address.ts';
import {
  decodePayload,
  encodePayload,
  familyNumber,
  malformedMessageError,
  optionalAttribute,
  type NetlinkRequest,
} from './message.ts';
import { AF, IFA, IFA_F_NODAD, NLM_F, RT_SCOPE, RTM } from './constants.ts';

/** An address of an interface as the kernel reports it. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: Cidr;
}

/** struct ifaddrmsg */
const HEADER_BYTES = 8;

/**
 * The request that adds an address to an interface. It fails with EEXIST if the interface has the address.
 *
 * An IPv6 address can be used at once: IFA_F_NODAD turns off duplicate address detection, which takes 1 to 2 seconds.
 * The sysctl `accept_dad` of the interface is not enough, because the kernel applies the larger value of the interface
 * and of `all`.
 */
export function addAddressRequest(interfaceIndex: number, cidr: Cidr): NetlinkRequest {
  return newAddressRequest(interfaceIndex, cidr, NLM_F.EXCL);
}

/** Like {@link addAddressRequest}, but changes the flags of the address if the interface has it already. */
export function replaceAddressRequest(interfaceIndex: number, cidr: Cidr): NetlinkRequest {
  return newAddressRequest(interfaceIndex, cidr, NLM_F.REPLACE);
}

function newAddressRequest(
  interfaceIndex: number,
  { address, prefixLength }: Cidr,
  whenPresent: typeof NLM_F.EXCL | typeof NLM_F.REPLACE,
): NetlinkRequest {
  const payload = encodePayload(addressHeader({ family: address.family, prefixLength, interfaceIndex }), [
    [IFA.LOCAL, address.bytes],
    [IFA.ADDRESS, address.bytes],
    ...optionalAttribute(IFA.FLAGS, address.family === 'ipv6' ? IFA_F_NODAD : undefined),
  ]);
  return { type: RTM.NEWADDR, flags: NLM_F.CREATE | whenPresent, payload };
}

/**
 * The request for all addresses of a family or of all families, of every interface: old kernels ignore a filter by
 * interface.
 */
export function dumpAddressesRequest(family: Family | 'all'): NetlinkRequest {
  return { type: RTM.GETADDR, flags: NLM_F.DUMP, payload: addressHeader({ family }) };
}

/**
 * Decodes one payload of the reply to {@link dumpAddressesRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeAddress(payload: Uint8Array): InterfaceAddress {
  const { header, attributes } = decodePayload(payload, HEADER_BYTES);
  // On a point-to-point link, IFA_ADDRESS is the address of the other end. IFA_LOCAL can be missing on other links.
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  if (bytes?.length !== 4 && bytes?.length !== 16) throw malformedMessageError('address');
  return {
    interfaceIndex: header.readUInt32LE(4),
    address: { address: addressFromBytes(bytes), prefixLength: header.readUInt8(1) },
  };
}

function addressHeader({
  family,
  prefixLength = 0,
  interfaceIndex = 0,
}: {
  family: Family | 'all';
  prefixLength?: number;
  interfaceIndex?: number;
}): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(family === 'all' ? AF.UNSPEC : familyNumber(family), 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(RT_SCOPE.UNIVERSE, 3);
  header.writeUInt32LE(interfaceIndex, 4);
  return header;
}
