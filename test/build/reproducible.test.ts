import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const BUILD = join(import.meta.dirname, '../../scripts/build.ts');

it('two builds produce the same bytes, including the code cache of a real run', async () => {
  expect(await hashOfBuild()).toBe(await hashOfBuild());
});

async function hashOfBuild(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'podwire-reproducible-'));
  const output = join(folder, 'podwire');
  try {
    await promisify(execFile)(process.execPath, [BUILD, '--rehearsed', '--output', output], { cwd: folder });
    return createHash('sha256')
      .update(await readFile(output))
      .digest('hex');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
