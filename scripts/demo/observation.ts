import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkNamespace } from '../../test/lab/namespaces/network-namespace.ts';
import { listMemberOf, memberOf, textMemberOf } from './json-member.ts';
import { NETWORK } from './plugin.ts';

/** The properties of an interface that the demo shows. */
export interface InterfaceSummary {
  readonly name: string;
  readonly mac: string;
  readonly mtu: string;
  readonly addresses: readonly string[];
}

/** Lists the interfaces of a namespace, without `lo` and without link-local addresses. */
export async function observeInterfaces(namespace: NetworkNamespace): Promise<readonly InterfaceSummary[]> {
  const links = await namespace.ip('address', 'show');
  return links
    .filter((link) => textMemberOf(link, 'ifname') !== 'lo')
    .map((link) => ({
      name: textMemberOf(link, 'ifname'),
      mac: textMemberOf(link, 'address'),
      mtu: textMemberOf(link, 'mtu'),
      addresses: listMemberOf(link, 'addr_info')
        .filter((address) => textMemberOf(address, 'scope') !== 'link')
        .map((address) => `${textMemberOf(address, 'local')}/${textMemberOf(address, 'prefixlen')}`),
    }));
}

/**
 * Lists the routes of a namespace's main tables as `ip route` prints them, without those that the kernel adds
 * automatically.
 */
export async function observeRoutes(namespace: NetworkNamespace): Promise<readonly string[]> {
  const families = await Promise.all(['-4', '-6'].map((family) => namespace.ip(family, 'route', 'show')));
  return families
    .flat()
    .filter((route) => textMemberOf(route, 'protocol') !== 'kernel')
    .map((route) => {
      const labelled = (label: string, key: string) => {
        const value = textMemberOf(route, key);
        return value === '' ? '' : ` ${label} ${value}`;
      };
      const destination = textMemberOf(route, 'dst');
      return `${destination}${labelled('via', 'gateway')}${labelled('dev', 'dev')}${labelled('scope', 'scope')}`;
    });
}

/** Lists the addresses that host-local has allocated. */
export async function observeLeases(): Promise<readonly string[]> {
  const files = await readdir(join('/var/lib/cni/networks', NETWORK)).catch(() => []);
  return files.filter((name) => /^[0-9]/.test(name) || name.includes(':'));
}

/** Lists podwire's records, with which it would clean up after a killed command. */
export async function observeRecords(): Promise<readonly string[]> {
  const files = await readdir(join('/var/lib/podwire/networks', NETWORK)).catch(() => []);
  return files.filter((name) => name.endsWith('.json'));
}

/** Returns the addresses of a CNI result, such as `10.0.0.5/32`. */
export function resultAddresses(result: unknown): readonly string[] {
  return listMemberOf(result, 'ips').map((entry) => textMemberOf(entry, 'address'));
}

/** Returns the name of a CNI result's host interface: the one without a sandbox. */
export function resultHostInterface(result: unknown): string {
  const link = listMemberOf(result, 'interfaces').find((entry) => memberOf(entry, 'sandbox') === undefined);
  return textMemberOf(link, 'name');
}
