import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSources } from './release/origin.ts';
import { packageVersion } from './third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const DIST = join(REPOSITORY, 'dist');
const EXECUTABLE_SOURCES = ['src', 'build', 'scripts/build.ts', 'package-lock.json'];
const IMAGE_SOURCES = [...EXECUTABLE_SOURCES, 'scripts/build-image.ts', 'LICENSE', 'package.json'];

/** What a build makes: its program, and the files that it writes. The first file is written last. */
interface Product {
  readonly script: string;
  readonly sources: readonly string[];
  readonly files: readonly string[];
}

const EXECUTABLE: Product = {
  script: 'scripts/build.ts',
  sources: EXECUTABLE_SOURCES,
  files: ['podwire', 'podwire.third-party-notices.txt'],
};
const IMAGE: Product = {
  script: 'scripts/build-image.ts',
  sources: IMAGE_SOURCES,
  files: ['podwire-image.tar', 'podwire.sbom.json'],
};

const RELEASE_SOURCES = [...IMAGE_SOURCES, 'scripts/release.ts', 'cni-conf'];
/** The release that tests install, and the key that signs it, which stays the same so that another build can be compared with it. */
export const TEST_RELEASE = join(DIST, 'release');
export const TEST_RELEASE_KEY = join(DIST, 'release-key.pem');

/** Gets what a build prints, as it prints it. */
type OnOutput = (text: string) => void;

/** Where an up-to-date file is, and whether it had to be built for that. */
export interface UpToDate {
  readonly path: string;
  readonly outcome: 'built' | 'was up to date';
}

/**
 * Builds dist/podwire for this machine unless it is newer than every source file. An interrupted build leaves nothing.
 *
 * @throws {Error} with the output of a failed build
 */
export function ensureExecutable(interrupted?: AbortSignal, onOutput?: OnOutput): Promise<UpToDate> {
  return ensure(EXECUTABLE, interrupted, onOutput);
}

/**
 * Builds dist/podwire-image.tar unless it is newer than every source file. A build needs a network.
 *
 * @throws {Error} with the output of a failed build
 */
export function ensureImage(interrupted?: AbortSignal, onOutput?: OnOutput): Promise<UpToDate> {
  return ensure(IMAGE, interrupted, onOutput);
}

/** Whether dist/podwire-image.tar exists and is newer than every source file. */
export function isImageUpToDate(): Promise<boolean> {
  return isUpToDate(join(DIST, 'podwire-image.tar'), pathsOf(IMAGE.sources));
}

/**
 * Builds the release in dist/release unless it is newer than every source file and of the current commit. A build needs a network.
 *
 * @throws {Error} with the output of a failed build
 */
export async function ensureRelease(interrupted?: AbortSignal, onOutput?: OnOutput): Promise<UpToDate> {
  if (await isReleaseUpToDate()) return { path: TEST_RELEASE, outcome: 'was up to date' };
  await mkdir(DIST, { recursive: true });
  await writeFile(TEST_RELEASE_KEY, newSigningKey(), { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    if (Reflect.get(Object(error), 'code') !== 'EEXIST') throw error;
  });
  const work = await mkdtemp(join(DIST, '.build-'));
  try {
    const startedAt = new Date();
    const folder = join(work, 'release');
    await runBuild(['scripts/release.ts', '--output', folder, '--key', TEST_RELEASE_KEY], interrupted, onOutput);
    await utimes(join(folder, 'SHA256SUMS'), startedAt, startedAt);
    await rm(TEST_RELEASE, { recursive: true, force: true });
    await rename(folder, TEST_RELEASE);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { path: TEST_RELEASE, outcome: 'built' };
}

/** Whether dist/release exists, is newer than every source file, and names the current commit. */
async function isReleaseUpToDate(): Promise<boolean> {
  if (!(await isUpToDate(join(TEST_RELEASE, 'SHA256SUMS'), pathsOf(RELEASE_SOURCES)))) return false;
  const { commit, hasUncommittedChanges } = await readSources();
  const version = await packageVersion(REPOSITORY);
  const path = join(TEST_RELEASE, `podwire-${version}.provenance.json`);
  const provenance = await readFile(path, 'utf8').catch(() => '');
  return provenance.includes(`"${commit}"`) && provenance.includes('uncommittedChanges') === hasUncommittedChanges;
}

/**
 * Whether a file exists and is newer than every source. A source is a file or a folder. A folder stands for itself, because removing
 * a file changes only its folder, and for everything below it. A file of the same age counts as stale.
 *
 * @throws {Error} if a source does not exist
 */
export async function isUpToDate(output: string, sources: readonly string[]): Promise<boolean> {
  const builtMs = await stat(output).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (builtMs === undefined) return false;
  const newest = await Promise.all(sources.map(newestMs));
  return newest.every((modifiedMs) => modifiedMs < builtMs);
}

async function newestMs(path: string): Promise<number> {
  const self = await stat(path);
  if (!self.isDirectory()) return self.mtimeMs;
  const entries = await readdir(path, { recursive: true });
  // An entry that has just been removed, as editors do with temporary files, has changed its folder.
  const times = entries.map((entry) => stat(join(path, entry)).catch(() => self));
  return Math.max(self.mtimeMs, ...(await Promise.all(times)).map(({ mtimeMs }) => mtimeMs));
}

function pathsOf(sources: readonly string[]): readonly string[] {
  return sources.map((path) => join(REPOSITORY, path));
}

function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function ensure(product: Product, interrupted?: AbortSignal, onOutput?: OnOutput): Promise<UpToDate> {
  const [main = ''] = product.files;
  const path = join(DIST, main);
  if (await isUpToDate(path, pathsOf(product.sources))) return { path, outcome: 'was up to date' };
  await mkdir(DIST, { recursive: true });
  const work = await mkdtemp(join(DIST, '.build-'));
  try {
    const startedAt = new Date();
    await runBuild([product.script, '--output', join(work, main)], interrupted, onOutput);
    await utimes(join(work, main), startedAt, startedAt); // a source that changed during the build is newer
    for (const file of product.files.toReversed()) await rename(join(work, file), join(DIST, file));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { path, outcome: 'built' };
}

async function runBuild(
  [script = '', ...options]: readonly string[],
  interrupted?: AbortSignal,
  onOutput: OnOutput = () => {},
): Promise<void> {
  const child = spawn(process.execPath, [join(REPOSITORY, script), ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // in its own process group, so that all of it can be killed
  });
  const { pid } = child;
  const kill = () => {
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGKILL');
  };
  interrupted?.addEventListener('abort', kill, { once: true });
  if (interrupted?.aborted === true) kill();
  let printed = '';
  const report = (text: Buffer) => {
    printed += text.toString();
    onOutput(text.toString());
  };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', report);
  await once(child, 'close');
  interrupted?.removeEventListener('abort', kill);
  interrupted?.throwIfAborted();
  if (child.exitCode !== 0) throw new Error(`${script} failed: it printed:\n${printed.trimEnd()}`);
}
