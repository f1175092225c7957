import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { assertPrivateNamespace } from '../../test/lab/namespaces/private-namespace.ts';
import { ensureTools } from '../../test/lab/tools/ensure-tools.ts';
import { toolProgressTo } from '../../test/lab/tools/tool-progress.ts';
import { buildBare } from './bare/build-bare.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** A plugin that is measured. */
export interface Contestant {
  readonly name: string;
  /** Where its executable is. */
  readonly path: string;
}

export interface PreparedOptions {
  /** An executable that is there already, instead of one built now. */
  readonly podwirePath: string | undefined;
  readonly others: readonly Contestant[];
  /** What is measured besides; nothing of it is needed where only the API server is. */
  readonly plugins: readonly ('podwire' | 'bare' | 'ptp')[];
}

/** What `--prepared` carries into the namespace. */
export interface PreparedPrograms {
  /** The contestants' copies, each under its own file name, and host-local: CNI_PATH. */
  readonly binFolder: string;
  /** Of a real disk, gone after the run. */
  readonly workFolder: string;
}

/** Whether this is the second half of a run: below scripts/in-private-namespace.sh, with `--prepared`. */
export function isInside(): boolean {
  try {
    assertPrivateNamespace();
    return true;
  } catch {
    return false;
  }
}

/**
 * Builds and copies everything, then runs the same script again in a private namespace, where no network is left to fetch from.
 *
 * All executables are copied just before: one that has lain in the page cache for long starts some milliseconds later than one
 * that was written a moment ago.
 *
 * @returns the exit status of that run
 */
export async function runPrepared(script: string, words: readonly string[], options: PreparedOptions): Promise<number> {
  const wantsPodwire = options.plugins.includes('podwire');
  if (wantsPodwire && options.podwirePath === undefined) await build();
  const { ptp, 'host-local': hostLocal } = await ensureTools(
    ['ptp', 'host-local', 'etcd', 'kube-apiserver'],
    toolProgressTo(process.stderr),
  );
  const podwire = resolve(options.podwirePath ?? join(REPOSITORY, 'dist', 'podwire'));
  await mkdir(join(REPOSITORY, 'dist'), { recursive: true });
  const workFolder = await mkdtemp(join(REPOSITORY, 'dist', '.bench-'));
  // Ctrl-C ends the other half; this one stays to tidy up.
  const stay = () => undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stay);
  try {
    const make = { podwire: () => podwire, bare: () => buildBare(workFolder), ptp: () => ptp };
    const binFolder = join(workFolder, 'bin');
    await mkdir(binFolder);
    for (const name of options.plugins) await copyFile(await make[name](), join(binFolder, name));
    for (const { name, path } of options.others) await copyFile(path, join(binFolder, name));
    await copyFile(hostLocal, join(binFolder, 'host-local'));
    const inside = [process.execPath, script, '--prepared', workFolder, ...words];
    return await run(join(REPOSITORY, 'scripts', 'in-private-namespace.sh'), ['--', ...inside]);
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** The programs that the first half has copied. */
export function preparedIn(workFolder: string): PreparedPrograms {
  return { workFolder, binFolder: join(workFolder, 'bin') };
}

/**
 * `NAME=PATH` as a contestant.
 *
 * @throws {Error} for another form, or a name that is taken
 */
export function parseContestant(text: string): Contestant {
  const [, name, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? [];
  if (name === undefined || path === undefined) throw new Error(`--also ${text}: NAME=PATH is wanted`);
  if (['podwire', 'bare', 'ptp', 'host-local'].includes(name))
    throw new Error(`--also ${basename(text)}: the name is taken`);
  return { name, path: resolve(path) };
}

async function build(): Promise<void> {
  const status = await run(process.execPath, [join(REPOSITORY, 'scripts', 'build.ts')]);
  if (status !== 0) throw new Error('the build failed');
}

function run(command: string, words: readonly string[]): Promise<number> {
  return new Promise((done, failed) => {
    const child = spawn(command, words, { cwd: REPOSITORY, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', failed);
    child.once('close', (exitStatus) => done(exitStatus ?? 1));
  });
}
