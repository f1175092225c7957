import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { statFile } from '../../../src/cli/observe/stat-file.ts';

it('a file, and paths for which the system reports various errors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podwire-stat-'));
  const path = join(folder, 'file');
  writeFileSync(path, 'text');
  symlinkSync('loop', join(folder, 'loop'));
  expect(statFile(path)?.size).toBe(4);
  expect(['none', 'file/below', 'loop'].map((name) => statFile(join(folder, name)))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  rmSync(folder, { recursive: true });
});
