import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { STAGE_OFFSET, stageField } from './record.ts';

/**
 * The record of a running ADD in the hands of this ADD.
 *
 * The ADD writes its stage into the file that it created. It never replaces the file: another command can have removed or replaced it since,
 * and then what is written here is gone with the old file, and no record comes back.
 */
export interface OwnRecord extends Disposable {
  writeStage(stage: 'returning' | 'attached'): void;
  /** False if another command has removed or replaced the file. */
  hasName(): boolean;
}

/**
 * Opens the record that this process wrote.
 *
 * @param text as it was written
 * @returns `undefined` if the file does not have this text any more, or cannot be opened
 */
export function openOwnRecord(path: string, text: string): OwnRecord | undefined {
  const fd = openIfPossible(path);
  if (fd === undefined) return undefined;
  if (readFileSync(fd, 'utf8') === text) {
    return {
      writeStage(stage) {
        writeSync(fd, stageField(stage), STAGE_OFFSET);
      },
      hasName: () => fstatSync(fd).nlink > 0,
      [Symbol.dispose]: () => closeSync(fd),
    };
  }
  closeSync(fd);
  return undefined;
}

function openIfPossible(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
