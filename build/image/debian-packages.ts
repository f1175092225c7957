import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Component } from './bill-of-materials.ts';

const run = promisify(execFile);

/** The packages of the libraries that Node needs, and their licenses. */
const LICENSES: Readonly<Record<string, string>> = {
  libc6: 'LGPL-2.1-or-later',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
};
const ARCHITECTURES = ['amd64', 'arm64'] as const;

/**
 * Downloads the packages for both architectures, from the sources of the machine's own apt. It uses separate package
 * lists, so it needs no root and changes nothing on the machine.
 *
 * @param folder for the package files. If it already exists, it is used as it is, so that an image can be built again
 * from the
 *   same packages
 * @throws {Error} with the output of apt, if apt or a package is missing
 */
export async function fetchDebianPackages(folder: string): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    const files = join(work, 'files');
    await mkdir(files);
    const apt = await openApt(join(work, 'apt'));
    await apt(['download', ...forBoth(Object.keys(LICENSES))], files);
    // This package has the license of the compiler's libraries. Its name contains the compiler's version.
    const depends = await fieldOf(join(files, await fileOf(files, 'libgcc-s1', 'amd64')), 'Depends');
    const base = /\bgcc-\d+-base\b/.exec(depends);
    if (base !== null) await apt(['download', ...forBoth(base)], files);
    await rename(files, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Unpacks the packages of one architecture.
 *
 * @param folder of the package files
 * @param root to unpack them into
 * @returns the packages
 * @throws {Error} if the folder has no package for the architecture
 */
export async function unpackDebianPackages(
  folder: string,
  architecture: (typeof ARCHITECTURES)[number],
  root: string,
): Promise<readonly Component[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(`_${architecture}.deb`)).toSorted();
  if (files.length === 0) throw new Error(`${folder} has no packages for ${architecture}`);
  const components: Component[] = [];
  for (const file of files) {
    const path = join(folder, file);
    await run('dpkg-deb', ['--extract', path, root]);
    const name = await fieldOf(path, 'Package');
    const version = await fieldOf(path, 'Version');
    const url = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
    const hex = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    const license = LICENSES[name];
    const checksum = { algorithm: 'SHA256', hex } as const;
    components.push({ name, version, url, ...(license === undefined ? {} : { license }), checksum });
  }
  return components;
}

async function openApt(state: string): Promise<(command: readonly string[], cwd: string) => Promise<void>> {
  for (const name of ['lists/partial', 'archives/partial']) await mkdir(join(state, name), { recursive: true });
  const settings = {
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': state,
    'APT::Architecture': 'amd64',
    'APT::Architectures': ARCHITECTURES.join(','),
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root', // otherwise apt changes from root to a user who cannot write here
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const apt = async (command: readonly string[], cwd: string) => {
    await run('apt-get', [...options, ...command], { cwd });
  };
  await apt(['update'], state).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error("apt-get is missing: it downloads the image's libraries, which are Debian packages");
    }
    // Ignore other errors: if one source cannot be reached, another may have the packages.
  });
  return apt;
}

function forBoth(names: Iterable<string>): readonly string[] {
  return [...names].flatMap((name) => ARCHITECTURES.map((architecture) => `${name}:${architecture}`));
}

async function fileOf(folder: string, name: string, architecture: string): Promise<string> {
  const file = (await readdir(folder)).find((entry) => entry.startsWith(`${name}_`) && entry.includes(architecture));
  if (file === undefined) throw new Error(`apt-get download did not write a file of ${name} for ${architecture}`);
  return file;
}

async function fieldOf(path: string, field: string): Promise<string> {
  return (await run('dpkg-deb', ['--field', path, field])).stdout.trim();
}

async function exists(folder: string): Promise<boolean> {
  return readdir(folder).then(
    () => true,
    () => false,
  );
}
