import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/system/libc.ts';
import { OwnNetns } from '../../src/kernel/netns.ts';
import { openSandboxDescriptor } from '../../src/kernel/sandbox-descriptor.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

it('a sandbox is opened and is not our namespace; the namespace of this process is', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const opened = [sandbox.path, '/proc/self/ns/net'].map((path) => openSandboxDescriptor(path, own));
  expect(opened).toEqual([
    { kind: 'open', fd: expect.any(Number), isOwnNetns: false },
    { kind: 'open', fd: expect.any(Number), isOwnNetns: true },
  ]);
  for (const descriptor of opened) if (descriptor.kind === 'open') closeSync(descriptor.fd);
});

describe('a path to something else is unavailable at once, with a reason:', () => {
  assertPrivateNamespace();
  const folder = mkdtempSync('/run/podwire-no-sandbox-');
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('gone', join(folder, 'dangling'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);

  const unavailable = (why: string, path: string, reason: string) =>
    it(why, () => {
      using own = new OwnNetns(openLibc());
      const before = readdirSync('/proc/self/fd').length;
      const opened = openSandboxDescriptor(path, own);
      expect(opened).toEqual({ kind: 'unavailable', reason: expect.stringContaining(reason) });
      expect(JSON.stringify(opened)).not.toContain('not found'); // containerd would ignore the error
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    });
  unavailable('nothing', join(folder, 'nothing'), 'it does not exist (ENOENT)');
  unavailable('the empty path', '', 'ENOENT');
  unavailable('a plain file', join(folder, 'file'), 'is not a namespace');
  unavailable('a folder', join(folder, 'folder'), 'is not a namespace');
  unavailable('a FIFO', join(folder, 'fifo'), 'is not a namespace');
  unavailable('a device', '/dev/null', 'is not a namespace');
  unavailable('a path below a file', join(folder, 'file', 'x'), 'ENOTDIR');
  unavailable('a loop of links', join(folder, 'loop'), 'form a loop (ELOOP)');
  unavailable('a link to nothing', join(folder, 'dangling'), 'ENOENT');
  unavailable('a namespace of another kind', '/proc/self/ns/uts', 'not a network namespace (EINVAL)');
  unavailable('a path that is too long', `/${'x'.repeat(5000)}`, 'ENAMETOOLONG');
  unavailable('a path with a NUL', '/run/\0', 'NUL');
});
