import { expect, it } from 'vitest';
import { observeNetwork } from '../../../src/cli/observe/observe-network.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

it('reads interfaces with their addresses, and unicast routes of both families', async () => {
  const { links, routes } = await observeNetwork();
  const uplink = links.find(({ name }) => name === 'uplink');
  expect(uplink).toMatchObject({ mtuBytes: 1500, alias: undefined });
  expect(uplink?.addresses.map(({ text }) => text)).toEqual(expect.arrayContaining(['192.0.2.10', '2001:db8::10']));
  const defaults = routes
    .filter(({ isDefault }) => isDefault)
    .map(({ destination, interfaceName }) => [destination.address.text, interfaceName]);
  expect(defaults).toEqual([
    ['0.0.0.0', 'uplink'],
    ['::', 'uplink'],
  ]);
});

it('a blackhole is not a route to an interface', async () => {
  const host = hostNamespace();
  await host.ip('route', 'add', 'blackhole', '198.51.100.0/24');
  const { routes } = await observeNetwork();
  await host.ip('route', 'del', 'blackhole', '198.51.100.0/24');
  expect(routes.filter(({ destination }) => destination.address.text === '198.51.100.0')).toEqual([]);
});
