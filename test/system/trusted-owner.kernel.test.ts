import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isOwnedByRoot } from '../../src/system/trusted-owner.ts';

const OVERFLOW_UID = Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));

it('a file of root is trusted, one of another user is not', () => {
  expect(isOwnedByRoot({ uid: 0 })).toBe(true);
  expect(isOwnedByRoot({ uid: 1000 })).toBe(false);
});

it('inside a user namespace a file with the overflow uid is trusted, and no other', () => {
  const source = join(import.meta.dirname, '../../src/system/trusted-owner.ts');
  const program = `
    const { isOwnedByRoot } = await import(${JSON.stringify(source)});
    process.stdout.write(JSON.stringify([0, ${OVERFLOW_UID}, 1000].map((uid) => isOwnedByRoot({ uid }))));`;
  const words = ['--user', '--map-root-user', process.execPath, '--input-type=module', '-e', program];
  expect(JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' }))).toEqual([true, true, false]);
});
