// The executable's main script: compiles the bundle with the code cache that was made from a real run, and calls it.
// Node's own `useCodeCache` would make the cache cold, before any function of ours has run.
import { getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

// latin1: build/bundle.ts writes ASCII only, and V8 keeps one byte a character.
const source = Buffer.from(getRawAsset('podwire.cjs')).toString('latin1');
const script = new Script(source, {
  filename: 'podwire.cjs',
  cachedData: Buffer.from(getRawAsset('podwire.cjs.cache')),
});

// For `podwire version` and the test that guards it: a cache that V8 rejects costs time and breaks nothing.
Reflect.set(
  globalThis,
  Symbol.for('podwire.code-cache'),
  script.cachedDataRejected === false ? 'accepted' : 'rejected',
);

const start: unknown = script.runInThisContext();
if (typeof start === 'function') Reflect.apply(start, undefined, [require, module, exports]);
