import type { Environment } from '../cni/environment.ts';
import { CniError } from '../cni/error.ts';
import { KernelError } from '../system/kernel-error.ts';
import { openLog, type Log } from '../log/log.ts';

/** What a command of the installer gets and gives. */
export interface InstallIo {
  /** Behind the command. */
  readonly words: readonly string[];
  readonly environment: Environment;
  /** This program. */
  readonly executablePath: string;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  readonly writeStderr: (text: string) => void;
}

/**
 * Runs a command of the installer with its log. What it refuses is one line.
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
    if (!(error instanceof CniError || error instanceof KernelError)) throw error;
    log.error(describeFailure(error));
    return 1;
  }
}

/** One line: what failed, and its details. */
export function describeFailure(error: CniError | KernelError): string {
  return error instanceof CniError && error.details !== '' ? `${error.message} (${error.details})` : error.message;
}
