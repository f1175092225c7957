// The executable's main script: compiles the bundle with the code cache that was made from a real run, and calls it.
// Node's own `useCodeCache` would make the cache cold, before any function of ours has run.
import { getAssetKeys, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

// An executable that was made on another architecture has none: nothing of its own could run there to make it.
const hasCache = getAssetKeys().includes('podwire.cjs.cache');
// latin1: build/bundle.ts writes ASCII only, and V8 keeps one byte a character.
const script = new Script(Buffer.from(getRawAsset('podwire.cjs')).toString('latin1'), {
  filename: 'podwire.cjs',
  ...(hasCache ? { cachedData: Buffer.from(getRawAsset('podwire.cjs.cache')) } : {}),
});

// For `podwire version` and the test that guards it: a cache that V8 rejects costs time and breaks nothing.
const state = script.cachedDataRejected === false ? 'accepted' : 'rejected';
Reflect.set(globalThis, Symbol.for('podwire.code-cache'), hasCache ? state : 'none');

const start: unknown = script.runInThisContext();
if (typeof start === 'function') Reflect.apply(start, undefined, [require, module, exports]);
