import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCidr } from '../../../src/address/cidr.ts';
import { observeNetworks } from '../../../src/cli/observe/observe-networks.ts';
import { netconf } from '../../lab/netconf.ts';
import { makeFolder } from '../../log/make-folder.ts';

it('counts leases by the state of their container, and the addresses of the ranges', async () => {
  using root = makeFolder();
  const write = (path: string, text: string) => {
    mkdirSync(join(root.path, path, '..'), { recursive: true });
    writeFileSync(join(root.path, path), text);
  };
  const config = netconf({ ipam: { type: 'host-local', subnet: 'usePodCidr' } });
  write('etc/cni/net.d/10-podwire.conflist', JSON.stringify({ ...config, plugins: [config] }));
  for (const [address, text] of [
    ['10.0.0.2', 'c1\r\neth0'],
    ['10.0.0.3', 'c2\r\neth0'],
    ['10.0.0.4', ''],
  ] as const)
    write(`var/lib/cni/networks/k8s-pod-network/${address}`, text);
  write('var/lib/podwire/networks/k8s-pod-network/c1@eth0.record.json', '{');
  write('var/lib/podwire/networks/k8s-pod-network/c9@eth0.endpoint.json', '{');
  expect(await observeNetworks(root.path, {}, async () => [parseCidr('10.0.0.0/24')])).toEqual([
    {
      network: 'k8s-pod-network',
      leases: [
        { family: 'ipv4', state: 'attached', count: 1 },
        { family: 'ipv4', state: 'unknown', count: 1 },
        { family: 'ipv4', state: 'damaged', count: 1 },
      ],
      capacity: [{ family: 'ipv4', count: 253 }],
      pendingEndpoints: 1,
    },
  ]);
});

it('there are no networks without a configuration of podwire', async () => {
  using root = makeFolder();
  expect(await observeNetworks(root.path, {}, () => Promise.reject(new Error('asked')))).toEqual([]);
});
