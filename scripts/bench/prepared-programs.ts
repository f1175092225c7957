import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runInPrivateNamespace } from '../command-line/run-program.ts';
import { UsageError } from '../command-line/run-script.ts';
import { ensureExecutable } from '../../build/up-to-date.ts';
import { assertPrivateNamespace } from '../../test/lab/namespaces/private-namespace.ts';
import { ensureTools } from '../../test/lab/tools/ensure-tools.ts';
import { toolProgressTo } from '../../test/lab/tools/tool-progress.ts';
import { buildBare } from './bare/build-bare.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** A plugin to measure. */
export interface Contestant {
  readonly name: string;
  /** Its executable. */
  readonly path: string;
}

export interface PreparedOptions {
  /** An existing executable; `undefined` builds one. */
  readonly podwirePath: string | undefined;
  readonly others: readonly Contestant[];
  /** The project's own contestants; none if only the API server is measured. */
  readonly plugins: readonly ('podwire' | 'bare' | 'ptp')[];
}

/** The programs in the folder that `--prepared` names. */
export interface PreparedPrograms {
  /** CNI_PATH: copies of the contestants, each under its own name, and of host-local. */
  readonly binFolder: string;
  /** On a real disk; removed after the run. */
  readonly workFolder: string;
}

/** Checks whether this process runs below scripts/in-private-namespace.sh. */
export function isInPrivateNamespace(): boolean {
  try {
    assertPrivateNamespace();
    return true;
  } catch {
    return false;
  }
}

/**
 * Builds and copies all programs, then runs the same script with `--prepared` in a private namespace, which has no
 * network to fetch anything from.
 *
 * All executables are copied just before the run: a file that has been in the page cache for a long time starts some
 * milliseconds later than one that has just been written.
 *
 * @returns the exit status of that run
 */
export async function runPrepared(script: string, args: readonly string[], options: PreparedOptions): Promise<number> {
  const { ptp, 'host-local': hostLocal } = await ensureTools(
    ['ptp', 'host-local', 'etcd', 'kube-apiserver'],
    toolProgressTo(process.stderr),
  );
  await mkdir(join(REPOSITORY, 'dist'), { recursive: true });
  const workFolder = await mkdtemp(join(REPOSITORY, 'dist', '.bench-'));
  // Ctrl-C ends the run in the namespace. This process ignores it, to remove the folder afterwards.
  const ignore = () => undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ignore);
  try {
    const pathOf = { podwire: () => executableFor(options), bare: () => buildBare(workFolder), ptp: () => ptp };
    const binFolder = join(workFolder, 'bin');
    await mkdir(binFolder);
    for (const name of options.plugins) await copyFile(await pathOf[name](), join(binFolder, name));
    for (const { name, path } of options.others) await copyFile(path, join(binFolder, name));
    await copyFile(hostLocal, join(binFolder, 'host-local'));
    return await runInPrivateNamespace(process.execPath, [script, '--prepared', workFolder, ...args]);
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Returns the programs that {@link runPrepared} has copied. */
export function preparedIn(workFolder: string): PreparedPrograms {
  return { workFolder, binFolder: join(workFolder, 'bin') };
}

/**
 * Parses `NAME=PATH`, the value of `--also`.
 *
 * @throws {UsageError} for another form, or a name that is already used
 */
export function parseContestant(text: string): Contestant {
  const [, name, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? [];
  if (name === undefined || path === undefined) {
    throw new UsageError(`--also expects NAME=PATH, got ${JSON.stringify(text)}`);
  }
  if (['podwire', 'bare', 'ptp', 'host-local'].includes(name)) {
    throw new UsageError(`--also cannot name a plugin ${name}: this name is already used`);
  }
  return { name, path: resolve(path) };
}

async function executableFor({ podwirePath }: PreparedOptions): Promise<string> {
  return podwirePath === undefined ? (await ensureExecutable()).path : resolve(podwirePath);
}
