import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { observeFirewall, observeZones } from '../../../src/cli/observe/observe-firewall.ts';
import { droppedDirections, type ForwardChain } from '../../../src/diagnosis/forward-rules.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

// With the real programs, and rules as they or others write them.

async function dropping(): Promise<readonly string[]> {
  const seen = await observeFirewall(process.env['PATH']);
  if (seen.kind === 'unseen') throw new Error(seen.why);
  const name = ({ program, family, table, name: chain }: ForwardChain) => `${program} ${family} ${table} ${chain}`;
  return seen.value.filter((chain) => droppedDirections(chain, 'cali').length > 0).map(name);
}

const host = hostNamespace();
const nft = (...rules: readonly string[]) => host.exec('sh', '-c', rules.map((rule) => `nft '${rule}'`).join(' && '));

it('a namespace without rules', async () => expect(await dropping()).toEqual([]));

it.each(['iptables', 'ip6tables'])('%s with the policy DROP, until packets of pods are accepted', async (program) => {
  await host.exec(program, '-P', 'FORWARD', 'DROP');
  expect(await dropping()).toEqual([`${program} ${program === 'iptables' ? 'ip' : 'ip6'} filter FORWARD`]);
  for (const flag of ['-i', '-o']) await host.exec(program, '-I', 'FORWARD', flag, 'cali+', '-j', 'ACCEPT');
  expect(await dropping()).toEqual([]);
  await host.exec(program, '-P', 'FORWARD', 'ACCEPT');
  await host.exec(program, '-F', 'FORWARD');
});

it('nft with the policy drop, until packets of pods are accepted', async () => {
  await nft('add table inet guard', 'add chain inet guard fw { type filter hook forward priority 0; policy drop; }');
  await nft(
    'add rule inet guard fw ct state established,related accept',
    'add rule inet guard fw iifname "docker0" accept',
  );
  expect(await dropping()).toEqual(['nft inet guard fw']);
  await nft('insert rule inet guard fw iifname "cali*" accept');
  expect(await dropping()).toEqual(['nft inet guard fw']);
  await nft('insert rule inet guard fw oifname "cali*" accept');
  expect(await dropping()).toEqual([]);
  await nft('delete table inet guard');
});

it('a chain that jumps, and rejects what is left', async () => {
  await nft(
    'add table inet guard',
    'add chain inet guard zones',
    'add chain inet guard fw { type filter hook forward priority 10; policy accept; }',
    'add rule inet guard fw jump zones',
    'add rule inet guard fw reject with icmpx admin-prohibited',
  );
  expect(await dropping()).toEqual(['nft inet guard fw']);
  await nft('add rule inet guard zones ip saddr 10.0.0.0/8 accept');
  expect(await dropping()).toEqual([]);
  await nft('delete table inet guard');
});

it('a map of verdicts may accept', async () => {
  await nft(
    'add table inet guard',
    'add chain inet guard fw { type filter hook forward priority 0; policy drop; }',
    'add rule inet guard fw ct state vmap { established : accept, new : accept }',
  );
  expect(await dropping()).toEqual([]);
  await nft('delete table inet guard');
});

it('the zones of firewalld, while it does not run and while it runs', async () => {
  const folder = mkdtempSync('/run/podwire-firewalld-');
  const path = join(folder, 'firewall-cmd');
  const install = (script: string) => {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  };
  install('echo "FirewallD is not running" >&2; exit 252');
  expect(await observeZones(folder)).toBeUndefined();
  install(`[ "$1" = --get-active-zones ] && printf 'public\\n  interfaces: cali1\\n'`);
  expect(await observeZones(folder)).toEqual([{ name: 'public', interfaces: ['cali1'], sources: [] }]);
  rmSync(folder, { recursive: true });
});
