import type { Cidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import { addressFromBytes } from '../address/ip-address.ts';
import { decodeAttributes, encodePayload, malformed, type NetlinkRequest } from './message.ts';
import { AF, IFA, NLM_F, RT_SCOPE, RTM } from './constants.ts';

/** An address as the kernel has it on an interface. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: Cidr;
}

/** struct ifaddrmsg */
const HEADER_BYTES = 8;

/**
 * Puts an address on an interface.
 *
 * Without IFA_F_NODAD, which Calico's attachments do not have: `accept_dad` of the interface, written before it is up, already keeps an
 * IPv6 address from waiting for other owners.
 */
export function addAddressRequest(interfaceIndex: number, { address, prefixLength }: Cidr): NetlinkRequest {
  const header = addressHeader(address.family);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(RT_SCOPE.UNIVERSE, 3);
  header.writeUInt32LE(interfaceIndex, 4);
  const payload = encodePayload(header, [
    [IFA.LOCAL, address.bytes],
    [IFA.ADDRESS, address.bytes],
  ]);
  return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

/** Every address of a family, of all interfaces: older kernels do not ask for less. */
export function dumpAddressesRequest(family: Family): NetlinkRequest {
  return { type: RTM.GETADDR, flags: NLM_F.DUMP, payload: addressHeader(family) };
}

/**
 * One answer to {@link dumpAddressesRequest}.
 *
 * @throws {KernelError} EBADMSG
 */
export function decodeAddress(payload: Uint8Array): InterfaceAddress {
  const attributes = decodeAttributes(payload, HEADER_BYTES);
  const header = Buffer.from(payload.buffer, payload.byteOffset, HEADER_BYTES);
  // IFA_ADDRESS is the other end's on a link with two ends; IFA_LOCAL is missing where there is no such difference.
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  if (bytes?.length !== 4 && bytes?.length !== 16) throw malformed('address');
  return {
    interfaceIndex: header.readUInt32LE(4),
    address: { address: addressFromBytes(bytes), prefixLength: header.readUInt8(1) },
  };
}

function addressHeader(family: Family): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(family === 'ipv6' ? AF.INET6 : AF.INET, 0);
  return header;
}
