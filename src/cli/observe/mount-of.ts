import { readFileSync } from 'node:fs';

/** A mounted file system. */
export interface Mount {
  readonly folder: string;
  readonly options: readonly string[];
}

/** The mount that a path is on: the last one whose folder contains it. `undefined` without /proc. */
export function mountOf(path: string): Mount | undefined {
  try {
    return readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([, folder = '', , options = '']) => ({ folder, options: options.split(',') }))
      .filter(
        ({ folder }) => folder !== '' && (path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)),
      )
      .reduce<{ folder: string; options: string[] } | undefined>(
        (best, mount) => (best === undefined || mount.folder.length >= best.folder.length ? mount : best),
        undefined,
      );
  } catch {
    return undefined;
  }
}
