import { Readable } from 'node:stream';
import type { CliIo } from '../../../src/cli/cli-io.ts';
import { openLibcLoader } from '../../../src/system/libc.ts';

/** What a command line wrote, and the input that it gets. */
export interface CapturedIo {
  readonly io: CliIo;
  stdout: string;
  stderr: string;
}

/** The process of a command line, not on a terminal, with `overrides`. */
export function cliIo(overrides: Partial<CliIo> = {}): CapturedIo {
  const captured: CapturedIo = {
    stdout: '',
    stderr: '',
    io: {
      args: [],
      called: { name: 'podwire', executablePath: process.execPath },
      environment: {},
      stdin: () => Readable.from([]),
      readLine: () => '',
      writeStdout: async (text) => void (captured.stdout += text),
      writeStdoutNow: (text) => (captured.stdout += text),
      writeStderr: (text) => (captured.stderr += text),
      isTerminal: () => false,
      columns: () => undefined,
      listenForTermination: () => new AbortController().signal,
      libc: openLibcLoader(),
      ...overrides,
    },
  };
  return captured;
}
