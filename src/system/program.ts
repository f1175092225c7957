import { closeSync, readSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Libc, Pipe, ProgramStatus } from './libc.ts';
import { errnoOf } from './error-text.ts';

/** One run of a program. */
export interface ProgramRun {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
  /** More than this on stdout ends it. */
  readonly stdoutLimitBytes: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How it ended: by itself, by a signal, or by us. */
export interface ProgramEnd extends ProgramStatus {
  readonly stdout: string;
  readonly isTooLong: boolean;
}

/**
 * Runs a program to its end; its stderr is ours. By posix_spawn, because child_process copies the page tables of the whole process first, and
 * without node:net, whose sockets take longer to make than most programs to run.
 *
 * A look each millisecond at its pipes and at itself: nobody stands still, no thread waits in a pipe that a child of the program holds open, and
 * what such a child still prints is nobody's.
 *
 * When this returns or throws, the program is gone, or killed and about to be: one that waits for a disk ends when that answers.
 *
 * @throws {KernelError} if it cannot be started; the signal's reason if that has ended it
 */
export async function runProgram(run: ProgramRun, libc: Libc): Promise<ProgramEnd> {
  const { stdin, stdoutLimitBytes, signal } = run;
  signal.throwIfAborted();
  const { pid, stdinFd, stdoutFd } = start(run, libc);
  const [input, output] = [openInput(stdinFd, stdin), openOutput(stdoutFd, stdoutLimitBytes)];
  try {
    let roundsToDie = ROUNDS_TO_DIE;
    for (let round = 0; ; round++) {
      // Not before it has begun: one whose starter is killed until then gets no input, and does nothing.
      input.push();
      // Before its output is taken: what it has printed last is there by then.
      const status = libc.reap(pid);
      output.pull(status === undefined ? 'some' : 'all');
      const isTooLong = output.sizeBytes() > stdoutLimitBytes;
      if (status !== undefined) {
        signal.throwIfAborted();
        return { ...status, stdout: output.text(), isTooLong };
      }
      if (signal.aborted || isTooLong) {
        if (roundsToDie === ROUNDS_TO_DIE) libc.kill(pid);
        if (--roundsToDie < 0) signal.throwIfAborted();
      }
      await pause(round < SHORT_ROUNDS ? 1 : 10);
    }
  } finally {
    input.close();
    output.close();
  }
}

const SHORT_ROUNDS = 50;
const ROUNDS_TO_DIE = 100;

function start({ path, environment }: ProgramRun, libc: Libc): { pid: number; stdinFd: number; stdoutFd: number } {
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const opened: number[] = [];
  const openPipe = (ours: 'readFd' | 'writeFd'): Pipe => {
    const pipe = libc.openPipe(ours);
    opened.push(pipe.readFd, pipe.writeFd);
    return pipe;
  };
  try {
    const [input, output] = [openPipe('writeFd'), openPipe('readFd')];
    const pid = libc.spawn(path, variables, { stdinFd: input.readFd, stdoutFd: output.writeFd });
    closeSync(input.readFd);
    closeSync(output.writeFd);
    return { pid, stdinFd: input.writeFd, stdoutFd: output.readFd };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

/** What a program is given to read; closed behind the last of it. */
function openInput(fd: number, text: string): { readonly push: () => void; readonly close: () => void } {
  let rest: Uint8Array = Buffer.from(text);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  const push = (): void => {
    if (!isOpen) return;
    try {
      rest = rest.subarray(writeSync(fd, rest));
      if (rest.length === 0) close();
    } catch (error) {
      // Any other: it has closed it. That it does not read all is its own affair.
      if (errnoOf(error) !== 'EAGAIN') close();
    }
  };
  return { push, close };
}

/** What a program prints: up to the limit, and a little more by which one knows that there was more. */
function openOutput(fd: number, limitBytes: number) {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const pullOnce = (): number => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    try {
      const readBytes = readSync(fd, chunk);
      chunks.push(chunk.subarray(0, readBytes));
      sizeBytes += readBytes;
      return readBytes;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      return 0;
    }
  };
  return {
    /** Takes some of what is there (it may print as fast as we read), or all. */
    pull(wanted: 'some' | 'all'): void {
      for (;;) if (pullOnce() === 0 || wanted === 'some' || sizeBytes > limitBytes) return;
    },
    sizeBytes: () => sizeBytes,
    text: () => Buffer.concat(chunks).toString('utf8'),
    close: () => closeSync(fd),
  };
}

/** As much as a pipe holds. */
const CHUNK_BYTES = 65_536;
