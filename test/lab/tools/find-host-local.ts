import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { unpackDebianPackage, unpackedPackageFolder } from './debian-package.ts';
import { builtToolPath, goBuild } from './go-build.ts';
import { pluginPaths, supportedCniVersions } from './installed-tool.ts';
import type { OnToolProgress } from './tool-progress.ts';

const PACKAGE = 'containernetworking-plugins';
const FROM_PACKAGE = join(unpackedPackageFolder(PACKAGE), 'usr', 'lib', 'cni', 'host-local');

/**
 * Finds host-local in any version, on a machine that may lack Go: an installed copy, an earlier build, a new build,
 * or the copy in the Debian package, which is unpacked below dist/tools without being installed.
 *
 * @returns its absolute path
 * @throws {Error} with the commands to run, if none of these is possible
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
  await unpackDebianPackage(PACKAGE, 'alone');
  report('downloaded', FROM_PACKAGE);
  return FROM_PACKAGE;
}
