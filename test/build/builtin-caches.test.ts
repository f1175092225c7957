import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adaptBuiltinCaches, listUncachedBuiltins } from '../../build/builtin-caches.ts';
import { NODE_OPTIONS_INSIDE } from '../../build/executable.ts';
import { hideVariables } from '../../build/hide-variables.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-builtin-caches-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('with its flags, a Node uses its code caches only if they are adapted', async () => {
  const path = join(folder, 'node');
  const adapted = await adaptBuiltinCaches(readFileSync(process.execPath), process.execPath, NODE_OPTIONS_INSIDE);
  await writeFile(path, hideVariables(adapted), { mode: 0o755 });
  expect(await listUncachedBuiltins(process.execPath, NODE_OPTIONS_INSIDE)).toContain('net');
  expect(await listUncachedBuiltins(path, NODE_OPTIONS_INSIDE)).toEqual([]);
});

it('a Node without code caches is an error', async () => {
  await expect(adaptBuiltinCaches(Buffer.alloc(100), process.execPath, NODE_OPTIONS_INSIDE)).rejects.toThrow(
    'contains no code cache',
  );
});
