import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const DIST_TOOLS = join(import.meta.dirname, '../../../dist/tools');
const run = promisify(execFile);

/** Where the files of a package are once it is unpacked, each as it would be below `/`. */
export function unpackedPackageFolder(name: string): string {
  return join(DIST_TOOLS, name);
}

/**
 * Unpacks a Debian package below dist/tools without installing it: no daemon is started, nothing of the machine changes, no root is needed.
 *
 * @param extent also what it depends on and the machine has not
 * @throws {Error} if apt-get is missing or cannot have it
 */
export async function unpackDebianPackage(name: string, extent: 'alone' | 'with dependencies'): Promise<void> {
  await mkdir(DIST_TOOLS, { recursive: true });
  const work = await mkdtemp(join(DIST_TOOLS, `${name}-`));
  try {
    const root = join(work, 'root');
    for (const archive of await download(name, extent, work)) await run('dpkg-deb', ['-x', archive, root]);
    await rename(root, unpackedPackageFolder(name)).catch((error: unknown) => {
      // Another process was first: its copy serves as well.
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
  // As root apt-get drops to a user who cannot write here, and says so on every download. It locks what only root may write.
  const options = ['-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=true'];
  await run('apt-get', [...options, ...command], { cwd: folder }).catch(async () => {
    // A machine that never ran `apt-get update`: package lists of our own need no root and change nothing of the machine's.
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
