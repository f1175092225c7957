import { statSync, type Stats } from 'node:fs';

/** Describes a file or folder, of a link its target. `undefined` if it does not exist, or if this user cannot see it. */
export function statFile(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
