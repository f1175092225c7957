import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestOfFile } from './file-digest.ts';
import { fileError } from './install-error.ts';
import type { FileFact, ProgramFact } from './plan-install.ts';
import { isOpenToOthers } from '../system/trusted-path.ts';

/** The programs that the image may contain beside the executable. All but the first are the CNI project's. */
const CARRIED = ['podwire', 'host-local', 'portmap', 'bandwidth', 'tuning', 'loopback'] as const;

/**
 * The executable and the plugins beside it, compared with the files of these names on the node.
 *
 * @param executablePath this program, whatever its name is
 * @param folder the node's folder of plugins
 */
export async function observePrograms(executablePath: string, folder: string): Promise<readonly ProgramFact[]> {
  const sources = CARRIED.map((name) => ({
    name,
    sourcePath: name === 'podwire' ? executablePath : join(dirname(executablePath), name),
  }));
  const facts = sources.map(async ({ name, sourcePath }): Promise<ProgramFact | undefined> => {
    const sourceDigest = await digestOfFile(sourcePath);
    if (sourceDigest === undefined) return undefined;
    const path = join(folder, name);
    return { name, sourcePath, sourceDigest, nodeDigest: await digestOfFile(path), isOpenToOthers: await isOpen(path) };
  });
  return (await Promise.all(facts)).filter((fact) => fact !== undefined);
}

/** @throws {InstallError} naming the folder and what to do */
export async function readFileNames(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw fileError('read the folder', folder, cause, 'folder');
  }
}

/** @throws {InstallError} if the folder cannot be read: it is not mounted, or mounted from the wrong path */
export async function requireReadable(folder: string): Promise<void> {
  await readFileNames(folder);
}

/** Reads the text and the mode of each named file that exists. */
export async function observeFiles(folder: string, names: readonly string[]): Promise<ReadonlyMap<string, FileFact>> {
  const facts = new Map<string, FileFact>();
  for (const name of names) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const stats = await stat(path).catch(() => undefined);
    if (text !== undefined && stats !== undefined) facts.set(name, { text, mode: stats.mode & 0o7777 });
  }
  return facts;
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function isOpen(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && isOpenToOthers(stats);
}
