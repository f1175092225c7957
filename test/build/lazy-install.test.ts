import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../../build/bundle.ts';

let folder = '';
let source = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-lazy-'));
  await bundle({ entryPath: join(import.meta.dirname, '../../src/main.ts'), outputPath: join(folder, 'podwire.cjs') });
  source = await readFile(join(folder, 'podwire.cjs'), 'utf8');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("the installer's modules are run on demand: ADD pays nothing for them", () => {
  // esbuild puts what `import()` reaches into functions `init_…`; whoever calls one at top level runs it for everybody.
  const calls = source.match(/[^\n]{0,40}\binit_(un)?install\(\)/g) ?? [];
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) expect(call).toMatch(/then\(\(\)=>\(init_(un)?install\(\)$/);
});
