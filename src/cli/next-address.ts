import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cidr } from '../address/cidr.ts';
import { parseIpAddress, type IpAddress } from '../address/ip-address.ts';
import { freeAddresses, isInCidr } from '../diagnosis/range.ts';

/**
 * The address that host-local leases next: the first free one after the last that it has leased, otherwise the first.
 *
 * @param folder of its leases
 * @param index of the range set
 * @see containernetworking/plugins, plugins/ipam/host-local/backend/allocator/allocator.go, GetIter
 */
export function nextAddress(
  range: Cidr,
  used: ReadonlySet<string>,
  folder: string,
  index: number,
): IpAddress | undefined {
  const free = freeAddresses(range, used, MAX_SEARCHED);
  const last = readLast(join(folder, `last_reserved_ip.${index}`));
  const after =
    last === undefined || !isInCidr(last, range)
      ? undefined
      : free.find((address) => Buffer.compare(address.bytes, last.bytes) > 0);
  return after ?? free[0];
}

/** More than the pods that a node can have. */
const MAX_SEARCHED = 4096;

function readLast(path: string): IpAddress | undefined {
  try {
    return parseIpAddress(readFileSync(path, 'utf8').trim());
  } catch {
    return undefined; // nothing has been leased yet
  }
}
