import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/system/libc.ts';
import { OwnNetns } from '../../src/kernel/netns.ts';
import { openSandboxDescriptor } from '../../src/kernel/sandbox-descriptor.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

it('a sandbox is open and not ours; the one that we are in is', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const opened = [sandbox.path, '/proc/self/ns/net'].map((path) => openSandboxDescriptor(path, own));
  expect(opened).toEqual([
    { kind: 'open', fd: expect.any(Number), isOwnNetns: false },
    { kind: 'open', fd: expect.any(Number), isOwnNetns: true },
  ]);
  for (const one of opened) if (one.kind === 'open') closeSync(one.fd);
});

describe('what is no network namespace is unavailable, at once, with words for it', () => {
  assertPrivateNamespace();
  const folder = mkdtempSync('/run/podwire-no-sandbox-');
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('gone', join(folder, 'dangling'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);

  const unavailable = (why: string, path: string, words: string) =>
    it(why, () => {
      using own = new OwnNetns(openLibc());
      const before = readdirSync('/proc/self/fd').length;
      const opened = openSandboxDescriptor(path, own);
      expect(opened).toEqual({ kind: 'unavailable', reason: expect.stringContaining(words) });
      expect(JSON.stringify(opened)).not.toContain('not found'); // containerd would swallow it
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    });
  unavailable('nothing', join(folder, 'nothing'), 'nothing is there (ENOENT)');
  unavailable('the empty path', '', 'ENOENT');
  unavailable('a plain file', join(folder, 'file'), 'stands for no namespace');
  unavailable('a folder', join(folder, 'folder'), 'stands for no namespace');
  unavailable('a FIFO', join(folder, 'fifo'), 'stands for no namespace');
  unavailable('a device', '/dev/null', 'stands for no namespace');
  unavailable('a path below a file', join(folder, 'file', 'x'), 'ENOTDIR');
  unavailable('links in a circle', join(folder, 'loop'), 'in a circle (ELOOP)');
  unavailable('a link to nothing', join(folder, 'dangling'), 'ENOENT');
  unavailable('a namespace of another kind', '/proc/self/ns/uts', 'none of the network (EINVAL)');
  unavailable('a path that is too long', `/${'x'.repeat(5000)}`, 'ENAMETOOLONG');
  unavailable('a path with a NUL', '/run/\0', 'NUL');
});
