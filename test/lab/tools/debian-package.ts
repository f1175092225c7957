import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const DIST_TOOLS = join(import.meta.dirname, '../../../dist/tools');
const run = promisify(execFile);

/** The folder into which a package is unpacked. The files have the same paths in it as below `/`. */
export function unpackedPackageFolder(name: string): string {
  return join(DIST_TOOLS, name);
}

/**
 * Unpacks a Debian package below dist/tools without installing it: this starts no daemon, changes nothing on the
 * machine, and needs no root.
 *
 * @param extent whether to include the packages that it depends on and that the machine does not have
 * @throws {Error} if apt-get is missing or cannot download the package
 */
export async function unpackDebianPackage(name: string, extent: 'alone' | 'with dependencies'): Promise<void> {
  await mkdir(DIST_TOOLS, { recursive: true });
  const work = await mkdtemp(join(DIST_TOOLS, `${name}-`));
  try {
    const root = join(work, 'root');
    for (const archive of await download(name, extent, work)) await run('dpkg-deb', ['-x', archive, root]);
    await rename(root, unpackedPackageFolder(name)).catch((error: unknown) => {
      // Another process was faster; its copy is the same.
      if (!existsSync(unpackedPackageFolder(name))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(name: string, extent: 'alone' | 'with dependencies', folder: string): Promise<string[]> {
  const command =
    extent === 'alone'
      ? ['download', name]
      : [
          'install',
          '--download-only',
          '--yes',
          '--no-install-recommends',
          '-o',
          `Dir::Cache::archives=${folder}`,
          name,
        ];
  await mkdir(join(folder, 'partial'));
  // Run by root, apt-get changes to a user who cannot write here, and prints a warning about it. Run by another user,
  // it cannot take its lock.
  const options = ['-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=true'];
  await run('apt-get', [...options, ...command], { cwd: folder }).catch(async () => {
    // The machine may have no package lists. Separate lists need no root and change nothing on the machine.
    const lists = ['-o', `Dir::State::Lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
    await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
    await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    await run('apt-get', [...options, ...lists, 'update']);
    await run('apt-get', [...options, ...lists, ...command], { cwd: folder });
  });
  const archives = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
  if (!archives.some((file) => file.startsWith(`${name}_`)))
    throw new Error(`apt-get has left no package file of ${name}`);
  return archives.map((file) => join(folder, file));
}
