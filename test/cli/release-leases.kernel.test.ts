import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { openNodeFiles } from '../../src/cli/observe/node-files.ts';
import { releaseLeases } from '../../src/cli/release-leases.ts';
import { networkConfig } from '../support/builders/network-config.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync('/run/podwire-release-');
  mkdirSync(join(dataDir, 'k8s-pod-network'));
  writeFileSync(join(dataDir, 'k8s-pod-network/lock'), '');
  writeFileSync(join(dataDir, 'k8s-pod-network/10.0.0.2'), 'c1\r\neth0');
});
afterEach(() => rmSync(dataDir, { recursive: true }));
const release = (containerId: string) =>
  releaseLeases(networkConfig({ ipam: { type: 'host-local', dataDir } }), openNodeFiles('/', {}), [
    { address: parseIpAddress('10.0.0.2'), containerId },
  ]);

it('releases a lease of its container', async () => {
  expect(await release('c1')).toBe(1);
  expect(readdirSync(join(dataDir, 'k8s-pod-network'))).toEqual(['lock']);
});
it('keeps a lease that has another owner by now', async () => expect(await release('c2')).toBe(0));
