import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { LogSettings } from '../netconf/network-config.ts';
import { makeFolders } from '../system/files.ts';

export interface LogFileSettings extends Pick<LogSettings, 'maxSizeMb' | 'maxAgeDays' | 'maxCount'> {
  readonly filePath: string;
}

/** An open log file. */
export interface LogFile extends Disposable {
  /** @throws {Error} when the line cannot be written */
  append(line: string, now: Date): void;
}

/**
 * Opens a file for appending, and creates it (0600) and its folder (0700) if they are missing. Lines of several
 * processes do not mix, because each line is one write.
 *
 * @throws {Error} if it cannot be opened, or is not a regular file with a single name: a link could lead to another
 *   file
 */
export function openLogFile(settings: LogFileSettings): LogFile {
  makeFolders(dirname(settings.filePath));
  let open = openOnce(settings.filePath);
  const append = (line: string, time: Date) => {
    const bytes = Buffer.from(line);
    if (open.size > 0 && open.size + bytes.length > settings.maxSizeMb * BYTES_PER_MB) {
      rotate(settings, open, time);
      closeSync(open.descriptor);
      open = openOnce(settings.filePath);
    }
    writeSync(open.descriptor, bytes);
    open = { ...open, size: open.size + bytes.length };
  };
  return { append, [Symbol.dispose]: () => closeSync(open.descriptor) };
}

interface OpenFile {
  readonly descriptor: number;
  readonly inode: number;
  readonly size: number;
}

function openOnce(path: string): OpenFile {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // O_NONBLOCK: otherwise opening a FIFO waits for its reader.
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const facts = fstatSync(descriptor);
  if (facts.isFile() && facts.nlink <= 1) return { descriptor, inode: facts.ino, size: facts.size };
  closeSync(descriptor);
  throw new Error(facts.isFile() ? 'it has several names (hard links)' : 'it is not a regular file');
}

// The names are those of lumberjack, which Calico's plugin uses to rotate, so that its old files are found and deleted
// too.
function rotate({ filePath, maxAgeDays, maxCount }: LogFileSettings, { inode }: OpenFile, now: Date): void {
  const folder = dirname(filePath);
  const ending = extname(filePath);
  const stem = `${basename(filePath, ending)}-`;
  const renamed = join(folder, `${stem}${now.toISOString().slice(0, -1).replaceAll(':', '-')}${ending}`);
  // Another process may have rotated the file already.
  const isCurrent = lstatSync(filePath, { throwIfNoEntry: false })?.ino === inode;
  if (isCurrent && !existsSync(renamed)) renameSync(filePath, renamed);
  const earlier = readdirSync(folder)
    .filter(
      (name) =>
        name.startsWith(stem) &&
        name.endsWith(ending) &&
        STAMP.test(name.slice(stem.length, name.length - ending.length)),
    )
    .toSorted()
    .toReversed();
  const oldest = new Date(now.getTime() - maxAgeDays * MS_PER_DAY).toISOString().slice(0, -1).replaceAll(':', '-');
  earlier.forEach((name, index) => {
    if (index >= maxCount || name.slice(stem.length) < oldest) rmSync(join(folder, name), { force: true });
  });
}

const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;
const BYTES_PER_MB = 1024 * 1024;
const MS_PER_DAY = 24 * 60 * 60 * 1000;
