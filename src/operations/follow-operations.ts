import { closeSync, fstatSync, readSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { openFileIfExists, readNames } from '../system/files.ts';
import type { Operation } from './record-operation.ts';

/** How far the operations have been read. */
export interface Position {
  /** Of the file that was read last. */
  readonly inode: number;
  readonly offset: number;
}

/** What was read since a position. */
export interface ReadOperations {
  readonly operations: readonly Operation[];
  /** `undefined` until the file exists. */
  readonly position: Position | undefined;
}

/**
 * Reads the commands that have been recorded since a position, also those in a file that has been renamed in the meantime.
 * An incomplete last line is left for the next time, and a damaged one is left out.
 *
 * @param since `undefined`: from the beginning of what is there
 */
export function readOperations(filePath: string, since: Position | undefined): ReadOperations {
  const operations: Operation[] = [];
  let position = since;
  // If the file of the position is gone, everything that is there is newer.
  let isFound = since === undefined;
  for (const { path, isCurrent } of filesOf(filePath)) {
    const fd = openFileIfExists(path);
    if (fd === undefined) continue;
    try {
      const { ino: inode, size } = fstatSync(fd);
      if (!isFound && inode !== since?.inode && !isCurrent) continue;
      const from = inode === since?.inode ? Math.min(since.offset, size) : 0;
      const { text, end } = readWholeLines(fd, from, size);
      operations.push(...text.split('\n').flatMap(parseOperation));
      position = { inode, offset: end };
      isFound = true;
    } finally {
      closeSync(fd);
    }
  }
  return { operations, position };
}

/** The position after everything that is recorded now. */
export function endOfOperations(filePath: string): Position | undefined {
  const fd = openFileIfExists(filePath);
  if (fd === undefined) return undefined;
  try {
    const { ino: inode, size: offset } = fstatSync(fd);
    return { inode, offset };
  } finally {
    closeSync(fd);
  }
}

// The renamed files first: their names have the time, src/log/log-file.ts.
function filesOf(filePath: string): readonly { readonly path: string; readonly isCurrent: boolean }[] {
  const folder = dirname(filePath);
  const ending = extname(filePath);
  const stem = `${basename(filePath, ending)}-`;
  const renamed = readNames(folder)
    .filter((name) => name.startsWith(stem) && name.endsWith(ending))
    .toSorted();
  return [
    ...renamed.map((name) => ({ path: join(folder, name), isCurrent: false })),
    { path: filePath, isCurrent: true },
  ];
}

function readWholeLines(fd: number, from: number, to: number): { readonly text: string; readonly end: number } {
  const bytes = Buffer.alloc(to - from);
  const length = readSync(fd, bytes, 0, bytes.length, from);
  const end = bytes.subarray(0, length).lastIndexOf('\n') + 1;
  return { text: bytes.toString('latin1', 0, end), end: from + end };
}

function parseOperation(line: string): readonly Operation[] {
  const [, command, code, durationMs] = LINE.exec(line) ?? [];
  return command === undefined ? [] : [{ command, code: Number(code), durationMs: Number(durationMs) }];
}

const LINE = /^(ADD|CHECK|DEL|GC|STATUS) (\d{1,10}) (\d{1,12}\.\d{3})$/;
