// Loads V8's code cache of each part and writes it again, so that two builds produce the same bytes:
//   node code-cache-finisher.cjs FOLDER ASSETS_JSON
// V8 numbers functions in the order in which it meets them. In a rehearsal this is the order of events; here it is that
// of the file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

const [folder = '', assetsJson = ''] = process.argv.slice(2);
const assets: unknown = JSON.parse(assetsJson);

const scripts = readdirSync(folder)
  .toSorted()
  .map((file) => {
    const name = file.replace(/\.cache$/, '');
    const path: unknown = typeof assets === 'object' && assets !== null ? Reflect.get(assets, name) : undefined;
    if (typeof path !== 'string') throw new Error(`${file} is not the code cache of a part`);
    const cachedData = readFileSync(join(folder, file));
    const script = new Script(readFileSync(path, 'latin1'), { filename: name, cachedData });
    if (script.cachedDataRejected === true) throw new Error(`V8 rejects the code cache ${file}`);
    return { file, script };
  });
for (const { file, script } of scripts) writeFileSync(join(folder, file), script.createCachedData());
