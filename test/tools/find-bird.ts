import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { unpackDebianPackage, unpackedPackageFolder } from './debian-package.ts';

const UNPACKED = unpackedPackageFolder('bird2');

/** BIRD of this machine, or the one that was unpacked below dist/tools, with `birdc` beside it; `undefined` if there is neither. */
export function findBird(): string | undefined {
  // An ordinary user's PATH need not have the next two.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', UNPACKED];
  return folders.map((folder) => join(folder, 'bird')).find(isExecutable);
}

/**
 * BIRD, unpacked from its Debian package if there is none. It is not installed: the package would start its daemon on this machine.
 *
 * @param say told before something is downloaded
 * @throws {Error} if it cannot be had
 */
export async function ensureBird(say: (line: string) => void): Promise<string> {
  const found = findBird();
  if (found !== undefined) return found;
  say(`unpacking the Debian package bird2 into ${UNPACKED}`);
  await unpackDebianPackage('bird2', 'with dependencies');
  const libraries = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  for (const program of ['birdc', 'bird']) {
    const script = `#!/bin/sh
here=\${0%/*}
export LD_LIBRARY_PATH="$here/usr/lib/${libraries}:$here/lib/${libraries}"
exec "$here/usr/sbin/${program}" "$@"
`;
    await writeFile(join(UNPACKED, program), script, { mode: 0o755 });
  }
  return join(UNPACKED, 'bird');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
