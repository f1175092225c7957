import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseElf } from './elf.ts';
import { isolateLoader } from '../src/install/isolate-loader.ts';

/**
 * Finds the dynamic loader and the shared libraries that programs need, directly or indirectly, and isolates the loader
 * from those of the machine. An executable that src/install/bind-executable.ts binds to a folder with these files uses no
 * others.
 *
 * @param programs the executable, and the libraries that it opens itself
 * @param root the unpacked Debian packages of the libraries
 * @returns the files by their names
 * @throws {Error} naming a library that the packages do not have
 */
export async function ownLibraries(programs: readonly Buffer[], root: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const pending = programs.map(parseElf);
  for (let elf = pending.pop(); elf !== undefined; elf = pending.pop()) {
    const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[elf.architecture];
    const loader = elf.interpreter === undefined ? undefined : basename(elf.interpreter);
    for (const name of [...(loader === undefined ? [] : [loader]), ...elf.needed]) {
      if (files.has(name)) continue;
      const content = await readLibrary(root, triplet, name);
      files.set(name, name.startsWith('ld-linux-') ? isolateLoader(content) : content);
      pending.push(parseElf(content));
    }
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function readLibrary(root: string, triplet: string, name: string): Promise<Buffer> {
  for (const folder of [`lib/${triplet}`, `usr/lib/${triplet}`]) {
    const path = await realpath(join(root, folder, name)).catch(() => undefined);
    if (path !== undefined) return readFile(path);
  }
  throw new Error(`none of the packages has the library ${name}`);
}
