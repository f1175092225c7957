import { chmodSync, chownSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findModifiablePath, isOpenToOthers } from '../../src/system/trusted-path.ts';

describe('isOpenToOthers', () => {
  it.each([
    ['root:root 0755', 0, 0, 0o755, false],
    ['root:root 0775', 0, 0, 0o775, false],
    ['root:kube 0775', 0, 1234, 0o775, true],
    ['root:kube 0755', 0, 1234, 0o755, false],
    ['kube:root 0755', 1234, 0, 0o755, true],
    ['root:root 0757', 0, 0, 0o757, true],
    ['root:root 1777', 0, 0, 0o1777, true],
  ])('%s', (_, uid, gid, mode, expected) => {
    expect(isOpenToOthers({ uid, gid, mode })).toBe(expected);
  });
});

describe('findModifiablePath', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'podwire-'));

  it('finds nothing below a folder of root, even in /tmp', () => {
    const path = join(folder(), 'program');
    writeFileSync(path, '');
    expect(findModifiablePath(path)).toBeUndefined();
  });

  it('finds a folder in the middle of the path', () => {
    const open = join(folder(), 'open');
    mkdirSync(join(open, 'a/b'), { recursive: true });
    chownSync(open, 1234, 0);
    expect(findModifiablePath(join(open, 'a/b'))?.path).toBe(open);
  });

  it('finds nothing in a sticky folder but the entries of other users, which they can replace', () => {
    const sticky = join(folder(), 'sticky');
    mkdirSync(join(sticky, 'bin'), { recursive: true });
    chmodSync(sticky, 0o1777);
    expect(findModifiablePath(join(sticky, 'bin'))).toBeUndefined();
    expect(findModifiablePath(sticky)?.path).toBe(sticky);
    chownSync(join(sticky, 'bin'), 1234, 0);
    expect(findModifiablePath(join(sticky, 'bin'))?.path).toBe(join(sticky, 'bin'));
  });

  it('links that lead to each other are an error', () => {
    const path = folder();
    symlinkSync('b', join(path, 'a'));
    symlinkSync('a', join(path, 'b'));
    expect(() => findModifiablePath(join(path, 'a'))).toThrow(/too many links/);
  });

  it('a path that does not exist is an error', () => {
    expect(() => findModifiablePath('/nowhere/at/all')).toThrow('ENOENT');
  });
});
