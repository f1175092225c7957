import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..', '..');

it('a second build, elsewhere, gives the same bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'podwire-reproducible-'));
  try {
    const again = join(folder, 'podwire');
    await promisify(execFile)(
      process.execPath,
      [join(REPOSITORY, 'scripts', 'build.ts'), '--rehearsed', '--output', again],
      {
        cwd: folder,
      },
    );
    expect(await hashOf(again)).toBe(await hashOf(join(REPOSITORY, 'dist', 'podwire')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
