import { describe, expect, it } from 'vitest';
import { readImportGraph, withoutDetours } from '../../../scripts/architecture/import-graph.ts';

const graph = (sources: Readonly<Record<string, string>>) => readImportGraph(new Map(Object.entries(sources)));

describe('the graph of imports', () => {
  const arrows = (why: string, text: string, expected: Readonly<Record<string, string>>) =>
    it(why, () => expect(Object.fromEntries(graph({ 'src/a/one.ts': text }).get('a/') ?? [])).toEqual(expected));

  arrows('an import of values', "import { b } from '../b/two.ts';", { 'b/': 'values' });
  arrows('an import of types alone', "import type { B } from '../b/two.ts';", { 'b/': 'types' });
  arrows('values outweigh types', "import type { B } from '../b/x.ts';\nimport { b } from '../b/y.ts';", {
    'b/': 'values',
  });
  arrows('an import of several lines', "import {\n  b,\n  c,\n} from '../b/two.ts';", { 'b/': 'values' });
  arrows('an import on demand', "await import('../b/two.ts')", { 'b/': 'values' });
  arrows('a folder within a folder belongs to it', "import { b } from '../b/c/d.ts';", { 'b/': 'values' });
  arrows('its own folder, packages and Node are left out', "import './two.ts';\nimport { x } from 'node:fs';", {});
  arrows('the error that all may import is left out', "import { CniError } from '../cni/error.ts';", {});

  it('a file directly in src is a separate part, unless it imports nothing', () => {
    const main = "import { v } from './version.ts';\nimport { b } from './b/two.ts';";
    const parts = graph({ 'src/main.ts': main, 'src/version.ts': '', 'src/b/two.ts': '' });
    expect([...parts.keys()]).toEqual(['main.ts', 'b/']);
    expect([...(parts.get('main.ts')?.keys() ?? [])]).toEqual(['b/']);
  });
});

it('the drawing leaves out an arrow to what is reached another way', () => {
  const parts = graph({
    'src/a/x.ts': "import { b } from '../b/x.ts';\nimport { c } from '../c/x.ts';",
    'src/b/x.ts': "import { c } from '../c/x.ts';",
    'src/c/x.ts': '',
  });
  expect([...withoutDetours(parts)].map(([from, to]) => [from, ...to.keys()])).toEqual([
    ['a/', 'b/'],
    ['b/', 'c/'],
    ['c/'],
  ]);
});
