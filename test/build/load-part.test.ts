import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { loadPart, type LoadedPart, type PartSource } from '../../build/load-part.ts';

const wrapped = (text: string) => `(function (require, module, exports) {${text}})`;

function aSource(texts: Readonly<Record<string, string>>, caches: Readonly<Record<string, Buffer>> = {}): PartSource {
  return {
    readSource: (name) => wrapped(texts[name] ?? ''),
    readCache: (name) => caches[name],
    requireBuiltin: (name) => `builtin ${name}`,
  };
}

it('a part that two others require is loaded once', () => {
  const loaded = new Map<string, LoadedPart>();
  const texts = {
    a: `module.exports = [require('podwire:b').c, require('podwire:c'), require('node:fs')];`,
    b: `exports.c = require('podwire:c');`,
    c: `exports.here = true;`,
  };
  const { module } = loadPart('a', aSource(texts), loaded);
  expect(module.exports).toEqual([{ here: true }, { here: true }, 'builtin node:fs']);
  const [byB, byA]: unknown[] = Array.isArray(module.exports) ? module.exports : [];
  expect(byB).toBe(byA);
  expect([...loaded.keys()]).toEqual(['a', 'b', 'c']);
});

it('a part that nothing requires is not loaded', () => {
  const loaded = new Map<string, LoadedPart>();
  loadPart('a', aSource({ a: `exports.later = () => require('podwire:b');` }), loaded);
  expect([...loaded.keys()]).toEqual(['a']);
});

// Each case has a different source, because V8 reads no cache for a source that it has already compiled.
const reports = (claim: string, text: string, cache: Buffer | undefined, expected: LoadedPart['codeCache']) =>
  it(claim, () => {
    const source = aSource({ a: text }, cache && { a: cache });
    expect(loadPart('a', source, new Map())).toMatchObject({ codeCache: expected, module: { exports: { a: 1 } } });
  });
const ofAnother = new Script(wrapped('exports.another = 2;')).createCachedData();
reports('a code cache of another source is rejected, and the part runs', 'exports.a = 1;', ofAnother, 'rejected');
reports('a part runs without a code cache, too', 'exports.a = 1.0;', undefined, 'none');
