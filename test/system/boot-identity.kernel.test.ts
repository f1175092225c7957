import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSameBoot, readBootIdentity, type BootIdentity } from '../../src/system/boot-identity.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

const SOURCE = join(import.meta.dirname, '../../src/system');
const PROGRAM = `
  import { readBootIdentity } from ${JSON.stringify(join(SOURCE, 'boot-identity.ts'))};
  import { openLibcLoader } from ${JSON.stringify(join(SOURCE, 'libc.ts'))};
  console.log(JSON.stringify(readBootIdentity(openLibcLoader())));`;

/** The boot that a process sees that `unshare` starts. */
function readWithin(...options: readonly string[]): BootIdentity {
  assertPrivateNamespace();
  const program = [process.execPath, '--input-type=module', '-e', PROGRAM];
  const boot: BootIdentity = JSON.parse(execFileSync('unshare', [...options, ...program], { encoding: 'utf8' }));
  return boot;
}

describe('the boot of a node', () => {
  const own = readBootIdentity(openLibcLoader());

  it('is the same for a process in another PID namespace', () => {
    expect(readWithin('--pid', '--fork', '--mount-proc')).toEqual(own);
  });

  it('is another one in each new network namespace, even where an inode is used again', () => {
    const later = [readWithin('--net'), readWithin('--net')];
    expect(later.map((boot) => isSameBoot(boot, own))).toEqual([false, false]);
    expect(later[0]).not.toEqual(later[1]);
  });
});

describe('isSameBoot', () => {
  const BOOT: BootIdentity = { bootId: 'b1', hostNetns: 'cookie:1' };
  const compares = (what: string, other: Partial<BootIdentity>, isSame: boolean) =>
    it(`is ${isSame}: ${what}`, () => {
      expect(isSameBoot(BOOT, { ...BOOT, ...other })).toBe(isSame);
      expect(isSameBoot({ ...BOOT, ...other }, BOOT)).toBe(isSame);
    });
  compares('the same', {}, true);
  compares('another boot of the kernel', { bootId: 'b2' }, false);
  compares('another network namespace', { hostNetns: 'cookie:2' }, false);
  compares('a record of version 0.1, which names no network namespace', { hostNetns: undefined }, true);
  compares('an inode, which cannot be compared with a cookie', { hostNetns: 'inode:2' }, true);
});
