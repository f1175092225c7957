import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CodeCacheOptions {
  /** The Node that goes into the executable: V8 takes a cache only from its own version and flags. */
  readonly nodePath: string;
  readonly nodeOptions: readonly string[];
  readonly recorderPath: string;
  readonly finisherPath: string;
  /** Name inside the executable to file. */
  readonly assets: Readonly<Record<string, string>>;
  /** There, and empty. */
  readonly outputFolder: string;
}

export interface CodeCache {
  /** Name inside the executable to file: of each part that the rehearsal has loaded. */
  readonly assets: Readonly<Record<string, string>>;
  /** Why there was no rehearsal, so that the cache is a cold one: valid, and several milliseconds slower on every ADD. */
  readonly coldBecause: string | undefined;
}

/**
 * Makes V8's code cache of each part by running the commands of build/rehearsal.ts, so that it holds the functions which these call,
 * and no others. One that is made without running them holds none, and each is compiled anew on every ADD.
 */
export async function makeCodeCache(options: CodeCacheOptions): Promise<CodeCache> {
  const { outputFolder } = options;
  const coldBecause = await rehearse(options).then(
    () => undefined,
    (error: unknown) => whatItSaid(error),
  );
  if (coldBecause !== undefined) {
    for (const name of await readdir(outputFolder)) await rm(join(outputFolder, name));
    const [program, ...recorder] = recorderCommand(options);
    await run(program, [...recorder, 'version'], { env: {} });
  }
  await run(options.nodePath, [...recordingOptions(options), options.finisherPath, ...recorded(options)], { env: {} });
  const names = (await readdir(outputFolder)).toSorted();
  return { assets: Object.fromEntries(names.map((name) => [name, join(outputFolder, name)])), coldBecause };
}

async function rehearse(options: CodeCacheOptions): Promise<void> {
  const rehearsal = [process.execPath, join(import.meta.dirname, 'rehearsal.ts')];
  const inPrivateNamespace = join(import.meta.dirname, '../scripts/in-private-namespace.sh');
  await run(inPrivateNamespace, ['--', ...rehearsal, ...recorderCommand(options)]);
}

// V8's hash seed is random, and the order of things in the cache follows it. The first flag fixes it without being one of those
// that the cache depends on; --hash-seed is one, and its cache would be rejected. The second keeps the baseline compiler, which works
// when it finds time, from marking the functions that it has seen. It is such a flag, too: build/code-cache-finisher.ts takes it back.
const SAME_BYTES = ['--random-seed=1', '--no-sparkplug'] as const;

function recorderCommand(options: CodeCacheOptions): readonly [string, ...string[]] {
  return [options.nodePath, ...recordingOptions(options), options.recorderPath, ...recorded(options), '--'];
}

function recordingOptions({ nodeOptions }: CodeCacheOptions): readonly string[] {
  return [...nodeOptions, ...SAME_BYTES];
}

function recorded({ outputFolder, assets }: CodeCacheOptions): readonly string[] {
  return [outputFolder, JSON.stringify(assets)];
}

function whatItSaid(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== ''
    ? error.stderr.trim()
    : error.message;
}

const run = promisify(execFile);
