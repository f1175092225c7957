// Preloaded with --require before build/code-cache-recorder.ts. It writes which modules of Node a command has loaded, one per line, to
// observed/COMMAND next to the recorder's folder of caches.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , caches = ''] = process.argv;
const atStart = new Set(loadedBuiltins());
process.once('exit', () => {
  const names = loadedBuiltins().filter((name) => !atStart.has(name));
  writeFileSync(join(caches, '../observed', process.env['CNI_COMMAND'] ?? ''), names.toSorted().join('\n'));
});

/** @see process.moduleLoadList, which Node has for its own tests */
function loadedBuiltins(): readonly string[] {
  const list: unknown = Reflect.get(process, 'moduleLoadList');
  if (!Array.isArray(list)) throw new Error('Node no longer lists the modules that it has loaded');
  return list
    .filter((entry) => typeof entry === 'string' && entry.startsWith('NativeModule '))
    .map((entry) => String(entry).slice(13));
}
