import type { Log } from '../log/log.ts';

/**
 * An undo that does not throw: its error would hide the one that made undoing necessary. It is logged.
 *
 * @param what that is undone, for the log
 */
export function undoing(what: string, log: Log, undo: () => Promise<void>): () => Promise<void> {
  return async () => {
    log.info(`undoing: ${what}`);
    try {
      await undo();
    } catch (error) {
      log.error(
        `${what} could not be undone, DEL will try again: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
}
