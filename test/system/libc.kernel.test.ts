import { closeSync, openSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openLibc } from '../../src/system/libc.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

it('a descriptor that does not refer to a network namespace cannot be entered', () => {
  assertPrivateNamespace();
  const libc = openLibc();
  for (const path of ['/dev/null', '/proc/self/ns/uts']) {
    const fd = openSync(path, 'r');
    expect(() => libc.enterNetns(fd)).toThrow(expect.objectContaining({ errnoName: 'EINVAL' }));
    closeSync(fd);
  }
  expect(() => libc.enterNetns(-1)).toThrow(expect.objectContaining({ errnoName: 'EBADF' }));
});

it('a netlink socket is a descriptor that node:fs can close and no child inherits', () => {
  const fd = openLibc().openNetlink();
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toMatch(/^socket:/);
  closeSync(fd);
});

it('a process that is not a child of this process does not count as one that has succeeded', () => {
  expect(() => openLibc().reap(1)).toThrow('cannot wait for process 1');
});
