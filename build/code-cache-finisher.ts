// Loads V8's code cache of each part and writes it anew, so that two builds give the same bytes:
//   node --no-sparkplug code-cache-finisher.cjs FOLDER ASSETS_JSON
// V8 numbers functions in the order in which they come to it. In a rehearsal this is the order of its events, here that of the file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [folder = '', assetsJson = ''] = process.argv.slice(2);
const assets: unknown = JSON.parse(assetsJson);

const scripts = readdirSync(folder)
  .toSorted()
  .map((file) => {
    const name = file.replace(/\.cache$/, '');
    const path: unknown = typeof assets === 'object' && assets !== null ? Reflect.get(assets, name) : undefined;
    if (typeof path !== 'string') throw new Error(`${file} is the cache of no part`);
    const cachedData = readFileSync(join(folder, file));
    const script = new Script(readFileSync(path, 'latin1'), { filename: name, cachedData });
    if (script.cachedDataRejected === true) throw new Error(`V8 rejects the code cache ${file}`);
    return { file, script };
  });
// V8 takes a cache only with the flags that it was written with: those of the executable, not of the rehearsal.
setFlagsFromString('--sparkplug');
for (const { file, script } of scripts) writeFileSync(join(folder, file), script.createCachedData());
