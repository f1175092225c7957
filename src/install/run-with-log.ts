import type { Environment } from '../cni/environment.ts';
import { openLog, type Log } from '../log/log.ts';
import { formatExplainedError, isExplained } from './install-error.ts';
import type { Locks } from './temporary-name.ts';

/** What a command of the installer needs from the process. */
export interface InstallIo {
  /** The arguments after the command. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** The path of this program. */
  readonly executablePath: string;
  /** Aborted when the process receives a signal to terminate. */
  readonly signal: AbortSignal;
  readonly writeStderr: (text: string) => void;
  readonly libc: Locks;
}

/**
 * Runs a command of the installer with its log. An error that explains itself becomes one line.
 *
 * @returns the exit status
 */
export async function runWithLog(
  { environment, writeStderr }: Pick<InstallIo, 'environment' | 'writeStderr'>,
  command: (log: Log) => Promise<void>,
): Promise<number> {
  const level = environment['LOG_LEVEL']?.toLowerCase() === 'debug' ? 'debug' : 'info';
  const settings = { level, filePath: undefined, maxSizeMb: 1, maxAgeDays: 1, maxCount: 1 } as const;
  using log = openLog({ settings, context: {}, writeLine: writeStderr });
  try {
    await command(log);
    return 0;
  } catch (error) {
    if (!isExplained(error)) throw error;
    log.error(formatExplainedError(error));
    return 1;
  }
}
