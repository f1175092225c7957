import { closeSync, fstatSync, readSync } from 'node:fs';
import type { Attachment } from '../plan/attachment.ts';
import { isUnfinished } from '../plan/detachment.ts';
import { openFileIfExists, replaceFile } from '../system/files.ts';
import { formatRecord, parseRecord } from './record.ts';

/**
 * Marks the record of a running ADD as superseded, so that this ADD undoes its work.
 *
 * @returns `finished`: the ADD has finished its work, or undone it
 * @throws an errno of node:fs
 */
export function supersedeRecord(
  path: string,
  { id, network }: Pick<Attachment, 'id' | 'network'>,
): 'superseded' | 'finished' {
  const fd = openFileIfExists(path);
  if (fd === undefined) return 'finished'; // the ADD has just undone its work
  try {
    const record = parseRecord(readAll(fd), id, network);
    if (record === undefined || !isUnfinished(record.stage)) return 'finished';
    replaceFile(path, formatRecord({ ...record, stage: 'superseded' }));
    // The ADD writes its stage into the file that it created, and then looks whether this still has its name.
    const stage = parseRecord(readAll(fd), id, network)?.stage;
    return stage === 'attaching' || stage === 'superseded' ? 'superseded' : 'finished';
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number): string {
  const text = Buffer.alloc(fstatSync(fd).size);
  return text.toString('utf8', 0, readSync(fd, text, 0, text.length, 0));
}
