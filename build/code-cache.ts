import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CodeCacheOptions {
  /** The Node of the executable: V8 only accepts a cache from the same version with the same flags. */
  readonly nodePath: string;
  readonly nodeOptions: readonly string[];
  readonly recorderPath: string;
  readonly finisherPath: string;
  /** The files of the executable by their names inside it. */
  readonly assets: Readonly<Record<string, string>>;
  /** An empty folder. */
  readonly outputFolder: string;
}

export interface CodeCache {
  /** The cache of each part that was loaded: its name inside the executable, and its file. */
  readonly assets: Readonly<Record<string, string>>;
  /**
   * Why no rehearsal was possible. Without one the cache is valid, but cold: every ADD takes several milliseconds more.
   */
  readonly coldReason: string | undefined;
}

/**
 * Makes V8's code cache of each part by running the commands of build/rehearsal.ts, so that it contains exactly the
 * functions that these commands call. A cache that is made without running them contains none, and every ADD has to
 * compile them.
 */
export async function makeCodeCache(options: CodeCacheOptions): Promise<CodeCache> {
  const { outputFolder } = options;
  const coldReason = await rehearse(options).then(
    () => undefined,
    (error: unknown) => failureReason(error),
  );
  if (coldReason !== undefined) {
    for (const name of await readdir(outputFolder)) await rm(join(outputFolder, name));
    const [program, ...recorder] = recorderCommand(options);
    await run(program, [...recorder, 'version'], { env: {} });
  }
  await run(options.nodePath, [...recordingOptions(options), options.finisherPath, ...programArguments(options)], {
    env: {},
  });
  const names = (await readdir(outputFolder)).toSorted();
  return { assets: Object.fromEntries(names.map((name) => [name, join(outputFolder, name)])), coldReason };
}

async function rehearse(options: CodeCacheOptions): Promise<void> {
  const rehearsal = [process.execPath, join(import.meta.dirname, 'rehearsal.ts')];
  const inPrivateNamespace = join(import.meta.dirname, '../scripts/in-private-namespace.sh');
  await run(inPrivateNamespace, ['--', ...rehearsal, ...recorderCommand(options)]);
}

// The order of the cache's contents depends on random numbers of V8. This flag fixes them, and V8 does not compare it when it loads a cache.
const REPRODUCIBLE = ['--random-seed=1'] as const;

function recorderCommand(options: CodeCacheOptions): readonly [string, ...string[]] {
  return [options.nodePath, ...recordingOptions(options), options.recorderPath, ...programArguments(options), '--'];
}

function recordingOptions({ nodeOptions }: CodeCacheOptions): readonly string[] {
  return [...nodeOptions, ...REPRODUCIBLE];
}

function programArguments({ outputFolder, assets }: CodeCacheOptions): readonly string[] {
  return [outputFolder, JSON.stringify(assets)];
}

function failureReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== ''
    ? error.stderr.trim()
    : error.message;
}

const run = promisify(execFile);
