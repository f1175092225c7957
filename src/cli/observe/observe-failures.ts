import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { FailedCommand, Seen } from '../../diagnosis/facts.ts';
import { errnoOf } from '../../system/error-text.ts';
import { logLineAsText } from './log-text.ts';

/** More than a node logs in an hour of failures. */
const READ_BYTES = 1024 * 1024;

/** The failed commands in the end of podwire's log, the oldest first. */
export function observeFailures(path: string | undefined): Seen<readonly FailedCommand[]> {
  if (path === undefined) return { kind: 'unseen', why: 'podwire has no log file (log_file_path)' };
  try {
    return { kind: 'seen', value: readEnd(path).split('\n').map(logLineAsText).flatMap(parseLine) };
  } catch (error) {
    // Nothing has been logged yet.
    if (errnoOf(error) === 'ENOENT') return { kind: 'seen', value: [] };
    return { kind: 'unseen', why: `the log ${path} cannot be read (${errnoOf(error) ?? 'unknown error'})` };
  }
}

/** A line of the log about one container. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly command: string;
  readonly message: string;
}

/** The last lines of podwire's log that are about a container, the oldest first; an empty list without a log. */
export function readLogAbout(containerId: string, path: string | undefined): readonly LogLine[] {
  if (path === undefined) return [];
  let text: string;
  try {
    text = readEnd(path);
  } catch {
    return [];
  }
  return text.split('\n').flatMap((written) => {
    const line = logLineAsText(written);
    const [, time = '', level = '', message = '', command = '', container = ''] =
      /^(\S+Z) ([A-Z]+) (.*) command=(\w+) container=(\S+)/.exec(line) ?? [];
    return container === containerId ? [{ time, level: level.toLowerCase(), command, message }] : [];
  });
}

/** The last lines of a file, as text. */
export function readEnd(path: string): string {
  // Opening a FIFO would wait for its writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, READ_BYTES));
    const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.subarray(0, read).toString('utf8');
    return size > read ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(fd);
  }
}

// 2026-11-22T05:45:59.123Z ERROR message (details) [PW401, code 100]; cause: … command=ADD container=… pod=…
const LINE = /^(\S+Z) ERROR (.*) command=(ADD|DEL|CHECK)((?: \w+=\S+)*)$/;

function parseLine(line: string): readonly FailedCommand[] {
  const [, time = '', text = '', command = '', fields = ''] = LINE.exec(line) ?? [];
  const atMs = Date.parse(time);
  if (Number.isNaN(atMs)) return [];
  const field = (name: string): string => new RegExp(` ${name}=(\\S+)`).exec(fields)?.[1] ?? '';
  const [, number] = /\[(PW\d{3}), code/.exec(text) ?? [];
  const message = text.replace(/ \[(?:PW\d{3}, )?code \d+\].*$/, '');
  return [{ atMs, command, containerId: field('container'), pod: field('pod'), message, number }];
}
