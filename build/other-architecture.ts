import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutableOptions } from './executable.ts';

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '..');

/**
 * The folder of packages for arm64 that build/arm64/package-lock.json pins, for a machine of another architecture. They are
 * fetched when they are not there, which needs a network.
 *
 * They are kept below dist/, in a folder named after the lockfile: one that is there is whole and up to date.
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
    // --force: the packages say that they are for another processor than this one.
    await run('npm', ['ci', '--force', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: work }).catch(
      (cause: unknown) => {
        throw new Error('the packages for arm64 cannot be had; npm run build -- --arch x64 does without', { cause });
      },
    );
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(packages))) throw error; // else another build was first
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return packages;
}

// Names the bytes of Node by which it knows that something was put into it.
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Puts the blob of `seaConfig` into a copy of another architecture's Node, which pkg does only for the machine's own.
 *
 * @param generatorPath a Node that runs here, of the very version that the other one has: the blob's format is its own
 */
export async function injectIntoOtherNode(
  generatorPath: string,
  { nodePath, bootstrapPath, outputPath }: Pick<ExecutableOptions, 'nodePath' | 'bootstrapPath' | 'outputPath'>,
  seaConfig: object,
): Promise<void> {
  const cwd = dirname(bootstrapPath);
  const [config, blob] = [`${outputPath}.json`, `${outputPath}.blob`];
  // The path of `main` goes into the blob as it is written here.
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
