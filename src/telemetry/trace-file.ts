import { dirname } from 'node:path';
import { openLogFile } from '../log/log-file.ts';
import { makeFolders } from '../system/files.ts';
import { findModifiablePath } from '../system/trusted-path.ts';

/** Ten files of the largest size are kept, the current one included. */
const LIMITS = { maxSizeMb: 10, maxAgeDays: 30, maxCount: 9 } as const;

/**
 * Appends one line to the file for spans, which is created (0600) with its folder (0700), and renamed when it is full. It
 * follows no link, and writes to no folder in which users other than root can put one.
 *
 * @throws {Error} if the line cannot be written, saying why
 */
export function appendTrace(filePath: string, line: string, now: Date): void {
  const folder = dirname(filePath);
  makeFolders(folder);
  const modifiable = findModifiablePath(folder);
  if (modifiable !== undefined) {
    throw new Error(`users other than root can change ${modifiable.path}: choose a folder that only root can change`);
  }
  using file = openLogFile({ filePath, ...LIMITS });
  file.append(line, now);
}
