import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadNativeAddon, openNativeAddon } from '../../src/system/native-addon.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

it('outside the executable both addons come from their packages', () => {
  expect(loadNativeAddon('koffi')).toHaveProperty('load');
  expect(loadNativeAddon('netlink')).toHaveProperty('NativeNetlink');
});

it('a file that is not an addon is an error with its path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podwire-addon-'));
  const path = join(folder, 'koffi.node');
  writeFileSync(path, 'no ELF');
  expect(() => openNativeAddon(path)).toThrow(path);
  rmSync(folder, { recursive: true });
});

it('a file system that is mounted noexec is an error with a remedy', () => {
  assertPrivateNamespace();
  const folder = mkdtempSync(join(tmpdir(), 'podwire-addon-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', folder]);
  try {
    const path = join(folder, 'koffi.node');
    const packaged = `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
    copyFileSync(createRequire(import.meta.url).resolve(packaged), path);
    expect(() => openNativeAddon(path)).toThrow(`cannot load ${path}: its file system is mounted noexec`);
    expect(() => openNativeAddon(path)).toThrow(expect.objectContaining({ finding: 'PW109' }));
  } finally {
    execFileSync('umount', ['--lazy', folder]); // a mapping that failed holds it
    rmSync(folder, { recursive: true });
  }
});
