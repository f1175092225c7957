// The executable's main script. It loads the program with a code cache that was recorded during a real run.
// Node's own `useCodeCache` would create the cache before any function of the program has run.
import { getAssetKeys, getRawAsset } from 'node:sea';
import { loadPart, type LoadedPart } from './load-part.ts';

// An executable for another architecture than that of the build machine has no cache, because it could not run there to
// record one.
const assets = new Set(getAssetKeys());
const loaded = new Map<string, LoadedPart>();
// `podwire version` and the tests of what is loaded read this.
Reflect.set(globalThis, Symbol.for('podwire.parts'), loaded);
const source = {
  // latin1: build/bundle.ts writes ASCII only, and V8 then stores one byte per character.
  readSource: (name: string) => Buffer.from(getRawAsset(`${name}.cjs`)).toString('latin1'),
  readCache: (name: string) =>
    assets.has(`${name}.cjs.cache`) ? Buffer.from(getRawAsset(`${name}.cjs.cache`)) : undefined,
  requireBuiltin: require,
};
loadPart('podwire', source, loaded);
