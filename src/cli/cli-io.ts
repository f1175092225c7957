import type { Readable } from 'node:stream';
import type { Environment } from '../cni/environment.ts';
import type { LibcLoader } from '../system/libc.ts';

/** What a command line needs from the process. */
export interface CliIo {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** The program's name as it was called, and its path. */
  readonly called: { readonly name: string; readonly executablePath: string };
  readonly environment: Environment;
  readonly stdin: () => Readable;
  /** Reads one line from a terminal. */
  readonly readLine: () => string;
  readonly writeStdout: (text: string) => Promise<void>;
  /** Like `writeStdout`, for a caller that cannot wait. */
  readonly writeStdoutNow: (text: string) => void;
  readonly writeStderr: (text: string) => void;
  /** Whether a descriptor (0, 1 or 2) is a terminal. */
  readonly isTerminal: (fd: number) => boolean;
  /** The width of the terminal, `undefined` if stdout is something else. */
  readonly columns: () => number | undefined;
  /** From then on a signal to terminate does not end the process, but aborts the returned signal. */
  readonly listenForTermination: () => AbortSignal;
  readonly libc: LibcLoader;
}

/** The exit statuses of all commands for people. */
export const EXIT = {
  fine: 0,
  /** A finding or a failure. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
} as const;

/** A command that cannot do its work. `message` says why, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** A wrong command line that the parser accepts. `message` names the wrong word. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
