// Runs the program as the executable would, on the executable's own Node, and writes V8's code cache of each part when
// it ends:
//   node code-cache-recorder.cjs FOLDER ASSETS_JSON -- [arguments of podwire]
// If FOLDER already has a cache, NAME.cjs.cache, it is loaded first, and what this run compiles is added to it.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadPart, type LoadedPart } from './load-part.ts';

const [folder = '', assetsJson = ''] = process.argv.splice(2, 3);
const assets: unknown = JSON.parse(assetsJson);
const loaded = new Map<string, LoadedPart>();

// A replacement for node:sea that reads the assets from files.
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
const cachePath = (name: string) => join(folder, `${name}.cjs.cache`);

// A contract with src/main.ts: it emits 'exit' when all work is done, before it ends the process with _exit(2), which
// emits nothing.
process.once('exit', writeCaches);

const source = {
  readSource: (name: string) => readAsset(`${name}.cjs`).toString('latin1'),
  readCache: (name: string) => (existsSync(cachePath(name)) ? readFileSync(cachePath(name)) : undefined),
  requireBuiltin: (name: string): unknown => (name === 'node:sea' ? sea : realRequire(name)),
};
loadPart('podwire', source, loaded);

function writeCaches(): void {
  for (const [name, { script, codeCache }] of loaded) {
    if (codeCache === 'rejected') throw new Error(`V8 rejects the code cache ${cachePath(name)}`);
    writeFileSync(`${cachePath(name)}.new`, script.createCachedData());
    renameSync(`${cachePath(name)}.new`, cachePath(name));
  }
}
