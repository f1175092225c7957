import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { thisArchitecture } from '../../../build/architecture.ts';
import { fetchDebianPackages, unpackDebianPackages } from '../../../build/image/debian-packages.ts';
import { unpackDebianPackage, unpackedPackageFolder } from './debian-package.ts';
import { ownLibraries } from '../../../build/own-libraries.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
/** The unpacked packages of the libraries that the image contains: glibc, libstdc++ and libgcc. */
export const DEBIAN_LIBRARIES = join(REPOSITORY, 'dist/tools/debian-libraries');
const ARCHITECTURE = ({ x64: 'amd64', arm64: 'arm64' } as const)[thisArchitecture()];

/** The unpacked package of another C library, whose loader cannot run programs for glibc. */
export const MUSL = unpackedPackageFolder('musl');

/**
 * Unpacks the Debian packages of the libraries that the image contains, and of musl, below dist/tools. Needs a network,
 * unless they are already there.
 */
export async function ensureDebianLibraries(): Promise<void> {
  if (!existsSync(MUSL)) await unpackDebianPackage('musl', 'alone');
  if (existsSync(DEBIAN_LIBRARIES)) return;
  await mkdir(join(REPOSITORY, 'dist/tools'), { recursive: true });
  const work = await mkdtemp(`${DEBIAN_LIBRARIES}-`);
  try {
    await fetchDebianPackages(join(work, 'packages'));
    await unpackDebianPackages(join(work, 'packages'), ARCHITECTURE, join(work, 'root'));
    await rename(join(work, 'root'), DEBIAN_LIBRARIES).catch((error: unknown) => {
      if (!existsSync(DEBIAN_LIBRARIES)) throw error; // otherwise another process was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes the loader and the libraries that an executable needs into a folder, as the image has them. */
export async function writeOwnLibraries(folder: string, executable: string): Promise<void> {
  const packages = createRequire(join(REPOSITORY, 'package.json'));
  const architecture = thisArchitecture();
  const koffi = packages.resolve(`@koromix/koffi-linux-${architecture}/linux_${architecture}/koffi.node`);
  const programs = await Promise.all([executable, koffi].map((path) => readFile(path)));
  await mkdir(folder, { recursive: true });
  for (const [name, content] of await ownLibraries(programs, DEBIAN_LIBRARIES)) {
    await writeFile(join(folder, name), content, { mode: 0o755 });
  }
}
