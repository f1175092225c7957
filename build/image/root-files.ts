import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseElf } from '../elf.ts';
import type { TarEntry } from './tar-archive.ts';

/**
 * Finds the dynamic loader and the shared libraries that programs need, directly or indirectly. Each gets the path
 * where the loader looks for it.
 *
 * @param root the unpacked packages of the libraries
 * @throws {Error} naming a library that the packages do not have
 */
export async function libraryFiles(programs: readonly Buffer[], root: string): Promise<readonly TarEntry[]> {
  const files = new Map<string, TarEntry>();
  const pending = programs.map(parseElf);
  for (let elf = pending.pop(); elf !== undefined; elf = pending.pop()) {
    const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[elf.architecture];
    const loaderName = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }[elf.architecture];
    const loader = elf.interpreter === undefined ? [] : [elf.interpreter];
    // Libraries also need the loader. By then it is already loaded.
    for (const name of [...loader, ...elf.needed.filter((needed) => needed !== loaderName)]) {
      const path = name.startsWith('/') ? name.slice(1) : `lib/${triplet}/${name}`;
      if (files.has(path)) continue;
      const content = await readLibrary(root, triplet, basename(name));
      files.set(path, { path, content, mode: 0o755 });
      pending.push(parseElf(content));
    }
  }
  return [...files.values()];
}

async function readLibrary(root: string, triplet: string, name: string): Promise<Buffer> {
  for (const folder of [`lib/${triplet}`, `usr/lib/${triplet}`]) {
    const path = await realpath(join(root, folder, name)).catch(() => undefined);
    if (path !== undefined) return readFile(path);
  }
  throw new Error(`none of the packages has the library ${name}`);
}

/**
 * Reads the licenses of unpacked Debian packages, at the paths where Debian has them.
 *
 * @throws {Error} for a package without a license
 */
export async function copyrightFiles(root: string): Promise<readonly TarEntry[]> {
  const folder = join(root, 'usr/share/doc');
  const names = (await readdir(folder)).toSorted();
  return Promise.all(
    names.map(async (name): Promise<TarEntry> => {
      // Packages of the same source share one folder by a link.
      const linkTarget = await readlink(join(folder, name)).catch(() => undefined);
      if (linkTarget !== undefined) return { path: `usr/share/doc/${name}`, linkTarget };
      const path = `usr/share/doc/${name}/copyright`;
      return { path, content: await readFile(join(root, path)), mode: 0o644 };
    }),
  );
}
