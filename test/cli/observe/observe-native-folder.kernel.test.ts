import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observeNativeFolder } from '../../../src/cli/observe/observe-native-folder.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync('/run/podwire-native-');
  mkdirSync(join(root, 'opt/cni/bin'), { recursive: true });
  mkdirSync(join(root, 'var/lib/podwire/native'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));
const install = () => writeFileSync(join(root, 'opt/cni/bin/podwire'), 'no ELF');
const observe = () => observeNativeFolder(openNodeFiles(root, {}));

it('without podwire it is not known', async () => expect(await observe()).toMatchObject({ kind: 'unseen' }));

it('of an executable that brings no libraries', async () => {
  install();
  expect(await observe()).toEqual({
    kind: 'seen',
    value: { folder: '/var/lib/podwire/native', problem: undefined, fix: [] },
  });
});

it('on a file system that is mounted noexec', async () => {
  install();
  const folder = join(root, 'var/lib/podwire');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', folder]);
  const seen = await observe();
  execFileSync('umount', ['--lazy', folder]);
  expect(seen).toMatchObject({
    value: {
      problem: '/var/lib/podwire is mounted noexec',
      fix: ['mount -o remount,exec /var/lib/podwire'],
    },
  });
});

it('that belongs to another user', async () => {
  install();
  chownSync(join(root, 'var/lib/podwire/native'), 1000, 1000);
  expect(await observe()).toMatchObject({
    value: { problem: expect.stringContaining('user 1000'), fix: ['chown root:root /var/lib/podwire/native'] },
  });
});
