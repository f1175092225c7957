import type { LogSettings } from '../netconf/network-config.ts';
import { openLogFile, type LogFile } from './log-file.ts';
import { formatLine as formatText, type FormatLine, type LogContext, type Outcome } from './log-line.ts';
import { messageOf } from '../system/error-text.ts';

/** Writes one line per message. It never fails: a line that cannot be written is lost. */
export interface Log {
  debug(message: string): void;
  /** @param outcome with which the command ends */
  info(message: string, outcome?: Outcome): void;
  warning(message: string): void;
  /** @param outcome with which the command ends */
  error(message: string, outcome?: Outcome): void;
}

export type LogLevel = keyof Log;

export interface LogOptions {
  readonly settings: Omit<LogSettings, 'format'>;
  /** Part of every line: container id, interface, pod. */
  readonly context: LogContext;
  /** Writes a line, which includes its line break, to standard error. */
  readonly writeLine: (line: string) => void;
  readonly now?: () => Date;
  /** By default, lines of text. */
  readonly formatLine?: FormatLine | undefined;
}

/**
 * Opens a log that writes to standard error and, if the settings name one, to a file. The file is opened at the first
 * message that is not below the configured level. If it cannot be written, one line on standard error reports it and
 * the command continues.
 */
export function openLog({
  settings,
  context,
  writeLine,
  now = () => new Date(),
  formatLine = formatText,
}: LogOptions): Log & Disposable {
  let file: LogFile | undefined;
  let isFileBroken = false;

  const toStandardError = (line: string) => {
    try {
      writeLine(line);
    } catch {
      // A closed stderr must not leave a pod without its network.
    }
  };
  const toFile = (line: string, filePath: string) => {
    try {
      file ??= openLogFile({ ...settings, filePath });
      file.append(line, now());
    } catch (error) {
      isFileBroken = true;
      const reason = messageOf(error);
      toStandardError(
        formatLine(
          now(),
          'warning',
          `cannot write the log file ${filePath}: ${reason}; logging to standard error only`,
          context,
        ),
      );
    }
  };
  const at = (level: LogLevel) => (message: string, outcome?: Outcome) => {
    if (RANK[level] < RANK[settings.level]) return;
    const line = formatLine(now(), level, message, context, outcome);
    toStandardError(line);
    if (settings.filePath !== undefined && !isFileBroken) toFile(line, settings.filePath);
  };

  return {
    debug: at('debug'),
    info: at('info'),
    warning: at('warning'),
    error: at('error'),
    [Symbol.dispose]: () => {
      file?.[Symbol.dispose]();
      file = undefined;
      isFileBroken = true;
    },
  };
}

const RANK = { debug: 0, info: 1, warning: 2, error: 3 } as const satisfies Record<LogLevel, number>;
