import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutableOptions } from './executable.ts';

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '..');

/**
 * Installs the packages for arm64 that build/arm64/package-lock.json pins, on a machine of another architecture. This
 * needs a network, unless they are already there.
 *
 * They are kept below dist/, in a folder that is named after the hash of the lockfile. If it exists, it is complete and
 * up to date.
 *
 * @returns the folder `node_modules`
 * @throws {Error} if they cannot be downloaded
 */
export async function arm64Packages(): Promise<string> {
  const manifests = ['package.json', 'package-lock.json'];
  const lockfile = await readFile(join(REPOSITORY, 'build/arm64/package-lock.json'));
  const folder = join(REPOSITORY, 'dist', `arm64-${createHash('sha256').update(lockfile).digest('hex').slice(0, 16)}`);
  const packages = join(folder, 'node_modules');
  if (await exists(packages)) return packages;
  await mkdir(join(REPOSITORY, 'dist'), { recursive: true });
  const work = await mkdtemp(join(REPOSITORY, 'dist', '.arm64-'));
  try {
    for (const name of manifests) await copyFile(join(REPOSITORY, 'build/arm64', name), join(work, name));
    // --force: npm rejects packages for another processor.
    await run('npm', ['ci', '--force', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: work }).catch(
      (cause: unknown) => {
        throw new Error('cannot download the packages for arm64; npm run build -- --arch x64 does not need them', {
          cause,
        });
      },
    );
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(packages))) throw error; // otherwise another build was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return packages;
}

// Node finds an injected program by this string: https://nodejs.org/api/single-executable-applications.html
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Injects the blob of `seaConfig` into a copy of another architecture's Node. pkg only supports the machine's own
 * architecture.
 *
 * @param generatorPath a Node that runs on this machine. It must have the same version, because the blob's format
 * depends on it
 */
export async function injectIntoOtherNode(
  generatorPath: string,
  { nodePath, bootstrapPath, outputPath }: Pick<ExecutableOptions, 'nodePath' | 'bootstrapPath' | 'outputPath'>,
  seaConfig: object,
): Promise<void> {
  const cwd = dirname(bootstrapPath);
  const config = `${outputPath}.json`;
  const blob = `${outputPath}.blob`;
  // The blob contains the path of `main` as it is given here, so it must not be absolute.
  await writeFile(config, JSON.stringify({ ...seaConfig, main: basename(bootstrapPath), output: blob }));
  await run(generatorPath, ['--experimental-sea-config', config], { cwd });
  await copyFile(nodePath, outputPath);
  const postject = join(REPOSITORY, 'node_modules/postject/dist/cli.js');
  await run(generatorPath, [postject, outputPath, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE, '--overwrite']);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
