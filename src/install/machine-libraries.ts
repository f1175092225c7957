import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileContent } from '../system/files.ts';
import { isolateLoader } from './isolate-loader.ts';

/**
 * Finds the loader and the libraries that this process itself has loaded.
 *
 * @param loaderPath the loader that this executable names
 * @returns the files by their names, or `undefined` if a library is missing or the loader cannot be isolated, because it
 *   is not one of Debian or of a distribution that is built alike
 */
export function readMachineLibraries(loaderPath: string): ReadonlyMap<string, FileContent> | undefined {
  const folders = libraryFolders(readFileSync('/proc/self/maps', 'utf8'));
  try {
    const loader = isolateLoader(readFileSync(loaderPath));
    const files = NAMES.map((name): [string, FileContent] => [name, { copyOf: findLibrary(name, folders) }]);
    return new Map([[basename(loaderPath), loader], ...files]);
  } catch {
    return undefined;
  }
}

/** What Node needs. */
const NAMES = ['libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6', 'libpthread.so.0', 'libstdc++.so.6'] as const;

/** The folders of the libraries that are mapped into a process, in the order of its memory: proc(5). */
function libraryFolders(maps: string): readonly string[] {
  const paths = maps.split('\n').flatMap((line) => / (\/\S+\.so[\d.]*)$/.exec(line)?.[1] ?? []);
  return [...new Set(paths.map(dirname))];
}

// A file has the version in its name, libstdc++.so.6.0.30, and a link beside it has the name that programs ask for.
function findLibrary(name: string, folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      return realpathSync(join(folder, name));
    } catch {
      // It is in another folder.
    }
  }
  throw new Error(`${name} is in none of ${folders.join(', ')}`);
}
