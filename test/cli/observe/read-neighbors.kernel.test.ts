import { expect, it } from 'vitest';
import { readNeighbors } from '../../../src/cli/observe/read-neighbors.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

it('reads the neighbor entries of an interface', async () => {
  const host = hostNamespace();
  await host.ip('neigh', 'replace', '192.0.2.77', 'lladdr', '02:00:00:00:00:01', 'dev', 'uplink');
  const entries = await readNeighbors(undefined, 'uplink');
  await host.ip('neigh', 'del', '192.0.2.77', 'dev', 'uplink');
  expect(entries).toContain('192.0.2.77 02:00:00:00:00:01 PERMANENT');
});
it('of an interface or a namespace that does not exist there are none', async () =>
  expect([await readNeighbors(undefined, 'none'), await readNeighbors('/none', 'eth0')]).toEqual([[], []]));
