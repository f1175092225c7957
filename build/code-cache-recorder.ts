// Runs the bundle as the executable would, on the executable's own Node, and writes V8's code cache when it ends:
//   node code-cache-recorder.cjs BUNDLE CACHE ASSETS_JSON -- [arguments of podwire]
// A CACHE that is there already is loaded first and grows by what this run has compiled.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

const [bundlePath = '', cachePath = '', assetsJson = ''] = process.argv.splice(2, 4);
const assets: unknown = JSON.parse(assetsJson);
const script = new Script(readFileSync(bundlePath, 'latin1'), {
  filename: 'podwire.cjs',
  ...(existsSync(cachePath) ? { cachedData: readFileSync(cachePath) } : {}),
});
if (script.cachedDataRejected === true) throw new Error(`V8 rejects the code cache ${cachePath}`);

// node:sea as the executable has it, from files.
const assetPath = (name: string): unknown =>
  typeof assets === 'object' && assets !== null ? Reflect.get(assets, name) : '';
const readAsset = (name: string) => readFileSync(String(assetPath(name)));
const sea = {
  isSea: () => true,
  getRawAsset: (name: string) => new Uint8Array(readAsset(name)).buffer,
  getAsset: (name: string, encoding?: BufferEncoding) =>
    encoding === undefined ? new Uint8Array(readAsset(name)).buffer : readAsset(name).toString(encoding),
};
const realRequire = createRequire('/');
const requireBuiltin = (name: string): unknown => (name === 'node:sea' ? sea : realRequire(name));

// Not only on 'exit': a program that leaves by reallyExit, to skip clean-up, never gets there.
const leave: unknown = Reflect.get(process, 'reallyExit');
Reflect.set(process, 'reallyExit', (code: unknown) => {
  writeCache();
  if (typeof leave === 'function') Reflect.apply(leave, process, [code]);
});
process.once('exit', writeCache);

const start: unknown = script.runInThisContext();
if (typeof start === 'function') Reflect.apply(start, undefined, [requireBuiltin, module, exports]);

function writeCache(): void {
  writeFileSync(`${cachePath}.new`, script.createCachedData());
  renameSync(`${cachePath}.new`, cachePath);
}
