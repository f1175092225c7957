import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../../src/address/cidr.ts';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observeAddresses, rangesOf } from '../../../src/cli/observe/observe-addresses.ts';
import { networkConfig } from '../../support/builders/network-config.ts';

const FILES = openNodeFiles('/', {});
const ranges = (ipam: object, ...podCidrs: readonly string[]) =>
  rangesOf(networkConfig({ ipam: { type: 'host-local', ...ipam } }), 'node-1', podCidrs.map(parseCidr)).map(formatCidr);

it('reads the leases and the ranges of host-local', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'podwire-leases-'));
  mkdirSync(join(dataDir, 'k8s-pod-network'));
  writeFileSync(join(dataDir, 'k8s-pod-network/10.0.0.2'), 'c1\r\neth0');
  writeFileSync(join(dataDir, 'k8s-pod-network/10.0.0.3'), '');
  const config = networkConfig({ ipam: { type: 'host-local', subnet: 'usePodCidr', dataDir } });
  const observed = observeAddresses(config, 'node-1', [parseCidr('10.0.0.0/24')], FILES);
  rmSync(dataDir, { recursive: true });
  expect(observed).toMatchObject({
    kind: 'seen',
    value: {
      folder: join(dataDir, 'k8s-pod-network'),
      ranges: [{ prefixLength: 24 }],
      leases: [{ containerId: 'c1', ageMs: expect.any(Number) }, { containerId: undefined }],
    },
  });
});

it('another IPAM plugin has leases that are not known', () =>
  expect(observeAddresses(networkConfig({ ipam: { type: 'whereabouts' } }), 'n', [], FILES)).toMatchObject({
    kind: 'unseen',
  }));
it('in a container without the folder they are not seen', () =>
  expect(observeAddresses(networkConfig(), 'n', [], openNodeFiles('/none', {}))).toMatchObject({
    kind: 'unseen',
    why: expect.stringContaining('run this on the node'),
  }));

it('ranges can be podCIDRs, of both families', () =>
  expect(
    ranges({ ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] }, '10.0.0.0/24', 'fd00::/64'),
  ).toEqual(['10.0.0.0/24', 'fd00::/64']));
it('ranges can be in the configuration', () => expect(ranges({ subnet: '10.9.0.0/16' })).toEqual(['10.9.0.0/16']));
it('a Node without a podCIDR has no range', () => expect(ranges({ subnet: 'usePodCidr' })).toEqual([]));
