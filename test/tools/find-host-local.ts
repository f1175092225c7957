import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';

import { builtToolPath, goBuild } from './go-build.ts';
import { pluginPaths, supportedCniVersions } from './installed-tool.ts';
import type { OnToolProgress } from './tool-progress.ts';

const PACKAGE = 'containernetworking-plugins';
const DIST_TOOLS = join(import.meta.dirname, '..', '..', 'dist', 'tools');
const FROM_PACKAGE = join(DIST_TOOLS, PACKAGE, 'usr', 'lib', 'cni', 'host-local');
const run = promisify(execFile);

/**
 * A host-local of any version, on a machine that need not have Go: an installed one, one built earlier, one built now, or
 * the one in the Debian package, unpacked below dist/tools without installing it.
 *
 * @returns its absolute path
 * @throws {Error} with the commands to run, if there is no way to one
 */
export async function findHostLocal(onProgress: OnToolProgress = () => {}): Promise<string> {
  const here = [
    ...pluginPaths('host-local', ['/opt/cni/bin', '/usr/lib/cni']),
    await builtToolPath('host-local'),
    FROM_PACKAGE,
  ];
  for (const path of here) {
    if ((await supportedCniVersions(path)).length === 0) continue;
    onProgress({ tool: 'host-local', stage: 'found', elapsedSeconds: 0, detail: path });
    return path;
  }
  const failures: string[] = [];
  for (const obtain of [goBuild.bind(undefined, 'host-local'), unpackPackage]) {
    try {
      return await obtain(onProgress);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    [
      'host-local, the plugin that hands out addresses, is not here and could not be had. One of these gives it:',
      `  apt-get update && apt-get install ${PACKAGE}`,
      '  npm run tools -- host-local        (needs Go)',
      '  export CNI_PATH=<a folder that has host-local>',
      '',
      ...failures,
    ].join('\n'),
  );
}

async function unpackPackage(onProgress: OnToolProgress): Promise<string> {
  const begunMs = performance.now();
  const report = (stage: 'downloading' | 'downloaded', detail: string) =>
    onProgress({ tool: 'host-local', stage, elapsedSeconds: (performance.now() - begunMs) / 1000, detail });
  report('downloading', PACKAGE);
  await mkdir(DIST_TOOLS, { recursive: true });
  const work = await mkdtemp(join(DIST_TOOLS, `${PACKAGE}-`));
  try {
    const archive = await downloadPackage(work);
    const root = join(work, 'root');
    await run('dpkg-deb', ['-x', archive, root]);
    await rename(root, join(DIST_TOOLS, PACKAGE)).catch(async (error: unknown) => {
      // Another process was first: its copy serves as well.
      if ((await supportedCniVersions(FROM_PACKAGE)).length === 0) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  report('downloaded', FROM_PACKAGE);
  return FROM_PACKAGE;
}

async function downloadPackage(folder: string): Promise<string> {
  // As root apt-get drops to a user who cannot write here, and says so on every download.
  const download = ['-o', 'APT::Sandbox::User=root', 'download', PACKAGE];
  await run('apt-get', download, { cwd: folder }).catch(async () => {
    // A machine that never ran `apt-get update`: package lists of our own need no root and change nothing of the machine's.
    const lists = ['-o', `Dir::State::Lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
    await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
    await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    await run('apt-get', [...lists, '-o', 'APT::Sandbox::User=root', 'update']);
    await run('apt-get', [...lists, ...download], { cwd: folder });
  });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get download ${PACKAGE} left no package file`);
  return join(folder, archive);
}
