import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mountOf } from '../../../src/cli/observe/mount-of.ts';

it('is the last mount that contains the path, with its options', () => {
  const folder = mkdtempSync('/run/podwire-mount-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', folder]);
  try {
    expect(mountOf(join(folder, 'a/b'))).toMatchObject({ folder, options: expect.arrayContaining(['noexec']) });
    expect(mountOf(`${folder}-other`)?.folder).not.toBe(folder);
  } finally {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  }
});
