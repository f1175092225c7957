import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../../build/bundle.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-bundle-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function bundleOf(files: { 'main.ts': string } & Readonly<Record<string, string>>): Promise<string> {
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  const outputPath = join(folder, 'bundle.cjs');
  await bundle({ entryPath: join(folder, 'main.ts'), outputPath });
  return readFile(outputPath, 'utf8');
}

async function exportsOf(source: string): Promise<Record<string, unknown>> {
  const module = { exports: {} };
  const start: unknown = runInThisContext(source);
  if (typeof start !== 'function') throw new Error('the bundle is not a function');
  Reflect.apply(start, undefined, [createRequire(import.meta.url), module, module.exports]);
  return module.exports;
}

it('a module that is imported on demand is in the same file, and runs on demand', async () => {
  const source = await bundleOf({
    'main.ts': `export const seen: string[] = [];
      export const later = async () => { seen.push('before'); return (await import('./late.ts')).late; };`,
    'late.ts': `import { seen } from './main.ts'; seen.push('late'); export const late = 1;`,
  });
  const { seen, later } = await exportsOf(source);
  expect(seen).toEqual([]);
  if (typeof later !== 'function') throw new Error('later is not a function');
  expect(await Reflect.apply(later, undefined, [])).toBe(1);
  expect(seen).toEqual(['before', 'late']);
});

it('`await using` is kept, because V8 supports it and its replacement is larger', async () => {
  const source = await bundleOf({
    'main.ts': 'export async function f() { await using stack = new AsyncDisposableStack(); return stack.disposed; }',
  });
  expect(source).toContain('await using');
});

it('function names are kept for stack traces', async () => {
  expect(await bundleOf({ 'main.ts': 'export function openSandbox(path: string) { return path; }' })).toContain(
    'openSandbox(path)',
  );
});

it('no line is very long, because Node prints the whole line of an uncaught error', async () => {
  const functions = Array.from({ length: 200 }, (_, index) => `export function number${index}() { return ${index}; }`);
  const source = await bundleOf({ 'main.ts': functions.join('\n') });
  expect(Math.max(...source.split('\n').map((line) => line.length))).toBeLessThan(400);
});

it('a warning fails the build', async () => {
  await expect(bundleOf({ 'main.ts': 'export const here = import.meta.url;' })).rejects.toThrow('import.meta');
});

it('a name that is not exported fails the build', async () => {
  await expect(
    bundleOf({ 'main.ts': "import { missing } from './none.ts'; export const m = missing;", 'none.ts': '' }),
  ).rejects.toThrow('missing');
});
