// The executable's main script: loads the program with the code cache that was made from a real run.
// Node's own `useCodeCache` would make the cache cold, before any function of ours has run.
import { getAssetKeys, getRawAsset } from 'node:sea';
import { loadPart, type LoadedPart } from './load-part.ts';

// An executable that was made on another architecture has none: nothing of its own could run there to make it.
const assets = new Set(getAssetKeys());
const loaded = new Map<string, LoadedPart>();
// For `podwire version`, and the tests that guard what is loaded.
Reflect.set(globalThis, Symbol.for('podwire.parts'), loaded);
const source = {
  // latin1: build/bundle.ts writes ASCII only, and V8 keeps one byte a character.
  readSource: (name: string) => Buffer.from(getRawAsset(`${name}.cjs`)).toString('latin1'),
  readCache: (name: string) =>
    assets.has(`${name}.cjs.cache`) ? Buffer.from(getRawAsset(`${name}.cjs.cache`)) : undefined,
  requireBuiltin: require,
};
loadPart('podwire', source, loaded);
