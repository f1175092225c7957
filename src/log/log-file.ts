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

/** A log file that is open. */
export interface LogFile extends Disposable {
  /** @throws {Error} when the line cannot be written */
  append(line: string, now: Date): void;
}

/**
 * Opens the file for appending, and makes it (0600) and its folder (0700) where they are missing. Lines of several processes
 * do not mix: each is one write.
 *
 * @throws {Error} when it cannot be opened, or is no regular file with one name: a link would lead somewhere else
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
  // O_NONBLOCK: opening a FIFO would wait for its reader.
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const facts = fstatSync(descriptor);
  if (facts.isFile() && facts.nlink <= 1) return { descriptor, inode: facts.ino, size: facts.size };
  closeSync(descriptor);
  throw new Error(facts.isFile() ? 'it has several names (hard links)' : 'it is no regular file');
}

// The names are lumberjack's, which Calico's plugin rotates with, so that files from before are found and deleted too.
function rotate({ filePath, maxAgeDays, maxCount }: LogFileSettings, { inode }: OpenFile, now: Date): void {
  const folder = dirname(filePath);
  const ending = extname(filePath);
  const stem = `${basename(filePath, ending)}-`;
  const renamed = join(folder, `${stem}${now.toISOString().slice(0, -1).replaceAll(':', '-')}${ending}`);
  // Unless another process has done it meanwhile.
  if (lstatSync(filePath, { throwIfNoEntry: false })?.ino === inode && !existsSync(renamed))
    renameSync(filePath, renamed);
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
