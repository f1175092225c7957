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

it('a part that two others ask for is loaded once', () => {
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

it('one that nobody asks for is not loaded', () => {
  const loaded = new Map<string, LoadedPart>();
  loadPart('a', aSource({ a: `exports.later = () => require('podwire:b');` }), loaded);
  expect([...loaded.keys()]).toEqual(['a']);
});

// A text of its own for each: V8 remembers those that it has compiled, and then looks at no cache.
const judges = (claim: string, text: string, cache: Buffer | undefined, wanted: LoadedPart['codeCache']) =>
  it(claim, () => {
    const source = aSource({ a: text }, cache && { a: cache });
    expect(loadPart('a', source, new Map())).toMatchObject({ codeCache: wanted, module: { exports: { a: 1 } } });
  });
const ofAnother = new Script(wrapped('exports.another = 2;')).createCachedData();
judges('a code cache of another text is rejected, and it runs', 'exports.a = 1;', ofAnother, 'rejected');
judges('without a code cache it runs, too', 'exports.a = 1.0;', undefined, 'none');
