import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkNamespace } from '../../test/lab/namespaces/network-namespace.ts';
import { listMemberOf, memberOf, textMemberOf } from './json-member.ts';
import { NETWORK } from './plugin.ts';

/** An interface as `ip` shows it. */
export interface ShownInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: string;
  readonly addresses: readonly string[];
}

/** The interfaces of a namespace but `lo`, with their addresses but the link-local ones. */
export async function observeInterfaces(where: NetworkNamespace): Promise<readonly ShownInterface[]> {
  const links = await where.ip('address', 'show');
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

/** The routes of a namespace's main tables, as `ip route` would write them; those of the kernel's own making left out. */
export async function observeRoutes(where: NetworkNamespace): Promise<readonly string[]> {
  const families = await Promise.all(['-4', '-6'].map((family) => where.ip(family, 'route', 'show')));
  return families
    .flat()
    .filter((route) => textMemberOf(route, 'protocol') !== 'kernel')
    .map((route) => {
      const [gateway, scope] = [textMemberOf(route, 'gateway'), textMemberOf(route, 'scope')];
      const via = gateway === '' ? '' : ` via ${gateway}`;
      return `${textMemberOf(route, 'dst')}${via} dev ${textMemberOf(route, 'dev')}${scope === '' ? '' : ` scope ${scope}`}`;
    });
}

/** The addresses that host-local has handed out. */
export async function observeLeases(): Promise<readonly string[]> {
  const files = await readdir(join('/var/lib/cni/networks', NETWORK)).catch(() => []);
  return files.filter((name) => /^[0-9]/.test(name) || name.includes(':'));
}

/** The records by which podwire would take down what a killed command has left. */
export async function observeRecords(): Promise<readonly string[]> {
  const files = await readdir(join('/var/lib/podwire', NETWORK)).catch(() => []);
  return files.filter((name) => name.endsWith('.json'));
}

/** The addresses of a CNI result, `10.0.0.5/32`. */
export function resultAddresses(result: unknown): readonly string[] {
  return listMemberOf(result, 'ips').map((entry) => textMemberOf(entry, 'address'));
}

/** The host interface of a CNI result: the one without a sandbox. */
export function resultHostInterface(result: unknown): string {
  const link = listMemberOf(result, 'interfaces').find((entry) => memberOf(entry, 'sandbox') === undefined);
  return textMemberOf(link, 'name');
}
