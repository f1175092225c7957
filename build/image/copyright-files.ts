import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TarEntry } from './tar-archive.ts';

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
