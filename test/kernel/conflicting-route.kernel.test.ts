import { expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { openLibc } from '../../src/system/libc.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { openThreadTransport } from '../../src/netlink/thread-transport.ts';
import { findConflictingRoute } from '../../src/kernel/conflicting-route.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

const LO_INDEX = 1;

it('among many routes, the one to the destination is found with its interface', async () => {
  const host = hostNamespace();
  const network = (index: number) => `10.6.${Math.floor(index / 256)}.${index % 256}`;
  const commands = Array.from({ length: 2000 }, (_, index) => `echo route add ${network(index)}/32 dev lo scope link`);
  await host.exec('sh', '-c', `(${commands.join(';')}) | ip -batch -`);
  using socket = new NetlinkSocket((listener) => openThreadTransport(openLibc().openNetlink(), listener));
  const find = (destination: string, index: number) =>
    findConflictingRoute(socket, index, { destination: parseCidr(destination), gateway: undefined, scope: 'link' });
  expect(await find('10.6.7.200/32', LO_INDEX)).toEqual({ kind: 'identical' });
  expect(await find('10.6.7.200/32', 999)).toMatchObject({ kind: 'other', owner: { name: 'lo' } });
  expect(await find('10.6.7.200/31', LO_INDEX)).toEqual({ kind: 'other', owner: undefined });
});
