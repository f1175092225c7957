import type { Cidr } from '../address/cidr.ts';
import { addressBytes } from '../address/ip-address.ts';
import { encodePayload, type NetlinkRequest } from './netlink-message.ts';
import { AF, IFA, IFA_F_NODAD, NLM_F, RT_SCOPE, RTM } from './rtnetlink-constants.ts';

/** Puts an address on an interface. An IPv6 address is usable at once: the delegate gave it to nobody else. */
export function addAddressRequest(interfaceIndex: number, { address, prefixLength }: Cidr): NetlinkRequest {
  const bytes = addressBytes(address);
  const isIpv6 = address.family === 'ipv6';
  const header = Buffer.alloc(8); // struct ifaddrmsg
  header.writeUInt8(isIpv6 ? AF.INET6 : AF.INET, 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(isIpv6 ? IFA_F_NODAD : 0, 2);
  header.writeUInt8(RT_SCOPE.UNIVERSE, 3);
  header.writeUInt32LE(interfaceIndex, 4);
  const payload = encodePayload(header, [
    [IFA.LOCAL, bytes],
    [IFA.ADDRESS, bytes],
  ]);
  return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}
