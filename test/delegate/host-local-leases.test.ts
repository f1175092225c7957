import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leaseFolder, readLeases, removeLeases } from '../../src/delegate/host-local-leases.ts';
import { makeFolder } from '../log/make-folder.ts';
import { tryRealLock } from '../support/delegates/real-program.ts';

const ID = 'a'.repeat(64);

function leasesOf(files: Readonly<Record<string, string>>): string {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
  return folder.path;
}

describe('leaseFolder', () => {
  const finds = (what: string, type: string, ipam: object, expected: string | undefined) =>
    it(what, () => expect(leaseFolder({ type, config: { name: 'net', ipam: { ...ipam } } })).toBe(expected));
  finds('is the default one of host-local', 'host-local', {}, '/var/lib/cni/networks/net');
  finds('is below dataDir', 'host-local', { dataDir: '/run/leases' }, '/run/leases/net');
  finds('does not exist for another plugin', 'static', { dataDir: '/run/leases' }, undefined);
});

describe('readLeases', () => {
  const owns = (what: string, text: string, expected: string | undefined) =>
    it(`${expected === undefined ? 'finds a damaged lease' : 'finds the owner'}: ${what}`, () =>
      expect(readLeases(leasesOf({ '10.0.0.2': text })).map(({ containerId }) => containerId)).toEqual([expected]));
  owns('as host-local writes it', `${ID}\r\neth0`, ID);
  owns('with another line break', `${ID}\neth0\n`, ID);
  owns('empty', '', undefined);
  owns('zeros', '\0'.repeat(70), undefined);
  owns('cut off in the id', ID.slice(0, 20), undefined);
  owns('cut off after the id', `${ID}\r\n`, undefined);
  owns('something else', 'a b c', undefined);

  it('reads IPv6 addresses, and nothing but addresses', () => {
    const folder = leasesOf({ 'fd00::2': '', lock: '', 'last_reserved_ip.0': '10.0.0.2', '10.0.0.300': '' });
    symlinkSync('/etc/hostname', join(folder, '10.0.0.9'));
    expect(readLeases(folder).map(({ path }) => basename(path))).toEqual(['fd00::2']);
  });

  it('finds nothing where there is no folder', () => expect(readLeases('/run/podwire-none')).toEqual([]));
});

describe('removeLeases', () => {
  const isDamaged = async ({ containerId }: { containerId: string | undefined }) => containerId === undefined;

  it('removes what is chosen, under the lock', async () => {
    const folder = leasesOf({ '10.0.0.2': '', '10.0.0.3': `${ID}\r\neth0`, lock: '' });
    const removed = await removeLeases(folder, isDamaged, tryRealLock);
    expect(removed.map(({ path }) => basename(path))).toEqual(['10.0.0.2']);
    expect(readdirSync(folder).toSorted()).toEqual(['10.0.0.3', 'lock']);
  });

  it('waits for the lock, and removes nothing without it', async () => {
    const folder = leasesOf({ '10.0.0.2': '', lock: '' });
    let isFree = false;
    await removeLeases(folder, isDamaged, () => isFree || !(isFree = true));
    expect(readdirSync(folder)).toEqual(['lock']);
    writeFileSync(join(folder, '10.0.0.2'), '');
    await expect(removeLeases(folder, isDamaged, () => false)).rejects.toThrow(/lock was not released within 2 s/);
    expect(readdirSync(folder)).toContain('10.0.0.2');
  });

  it('removes nothing where host-local has no lock yet', async () => {
    expect(await removeLeases(leasesOf({ '10.0.0.2': '' }), isDamaged, tryRealLock)).toEqual([]);
  });
});
