import { openLogFile } from '../log/log-file.ts';

/** On a disk that every process of podwire can reach, and that the DaemonSet mounts. */
const OPERATIONS_FILE = '/var/lib/podwire/operations.log';

/** A quarter of a million lines: days on a busy node. */
const LIMITS = { maxSizeMb: 1, maxAgeDays: 7, maxCount: 1 } as const;

/** One command that has ended. */
export interface Operation {
  /** `ADD`. */
  readonly command: string;
  /** 0, or the code of its error. */
  readonly code: number;
  /** Since the process started. */
  readonly durationMs: number;
}

/**
 * Appends one line for a command that has ended, `ADD 0 46.123`. A line is one write, so that lines of several processes
 * do not mix and a killed process leaves a whole line or none. The file is renamed when it is full, whether something reads
 * it or not.
 *
 * It never fails: a command that cannot be recorded is missing in the metrics, and nowhere else.
 */
export function recordOperation({ command, code, durationMs }: Operation, filePath = OPERATIONS_FILE): void {
  try {
    using file = openLogFile({ filePath, ...LIMITS });
    file.append(`${command} ${code} ${durationMs.toFixed(3)}\n`, new Date());
  } catch {
    // A full or read-only disk: the journal has warned about it.
  }
}
