import { closeSync, readSync, writeSync } from 'node:fs';
import { monotonicMs } from './monotonic-clock.ts';
import { pause } from './pause.ts';
import { untilReady, type Awaited } from './readiness.ts';
import { errnoOf } from './error-text.ts';
import type { Libc, Pipe, ProgramStatus } from './libc.ts';

/** One run of a program. */
export interface ProgramRun {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
  /** A program that prints more than this on stdout is killed. */
  readonly stdoutLimitBytes: number;
  /** The program is killed when this is aborted. */
  readonly signal: AbortSignal;
}

/** How a program has ended, and what it has printed. */
export interface ProgramEnd extends ProgramStatus {
  readonly stdout: string;
  /** It was killed, because it printed more than the limit. */
  readonly isTooLong: boolean;
}

/** `runProgram` with its C library. */
export type RunProgram = (run: ProgramRun) => Promise<ProgramEnd>;

/**
 * Runs a program until it exits; its stderr is ours. It is started with posix_spawn, because child_process first copies
 * the page tables of the whole process, and without node:net, whose sockets take longer to create than most programs
 * take to run.
 *
 * It waits for the pipes and for the program's end at the same time. So it also returns if a child of the program keeps a pipe open; what
 * such a child prints afterwards is dropped.
 *
 * When this returns or throws, the program has ended, or is killed and about to end: a process that waits for a disk
 * ends when the disk answers.
 *
 * @throws {KernelError} if it cannot be started; the reason of the signal if that has ended it
 */
export async function runProgram(run: ProgramRun, libc: Libc): Promise<ProgramEnd> {
  const { stdin, stdoutLimitBytes, signal } = run;
  signal.throwIfAborted();
  const { pid, stdinFd, stdoutFd } = start(run, libc);
  const endFd = libc.watchProgram(pid);
  const input = openInput(stdinFd, stdin);
  const output = openOutput(stdoutFd, stdoutLimitBytes);
  try {
    let killedAtMs: number | undefined;
    for (;;) {
      // Only after the start: if this process is killed before, the program reads an empty input and does nothing.
      input.push();
      // Before the output is read: whatever the program has printed at its end is in the pipe by then.
      const status = libc.reap(pid);
      output.pull(status === undefined ? 'some' : 'all');
      const isTooLong = output.sizeBytes() > stdoutLimitBytes;
      if (status !== undefined) {
        signal.throwIfAborted();
        return { ...status, stdout: output.text(), isTooLong };
      }
      if (killedAtMs === undefined && (signal.aborted || isTooLong)) {
        libc.kill(pid);
        killedAtMs = monotonicMs();
      }
      if (killedAtMs !== undefined && monotonicMs() - killedAtMs >= TIME_TO_DIE_MS) signal.throwIfAborted();
      const isSoonOver = endFd === undefined && output.isEnded();
      if (isSoonOver) await pause(1);
      else await untilReady([...input.awaited(), ...output.awaited(), ...awaitedEnd(endFd)], ROUND_MS);
    }
  } finally {
    input.close();
    output.close();
    if (endFd !== undefined) closeSync(endFd);
  }
}

/** How long an aborted run can go unnoticed. */
const ROUND_MS = 10;
const TIME_TO_DIE_MS = 500;

function awaitedEnd(fd: number | undefined): readonly Awaited[] {
  return fd === undefined ? [] : [{ fd, readiness: 'readable' }];
}

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
    const input = openPipe('writeFd');
    const output = openPipe('readFd');
    const pid = libc.spawn(path, variables, { stdinFd: input.readFd, stdoutFd: output.writeFd });
    closeSync(input.readFd);
    closeSync(output.writeFd);
    return { pid, stdinFd: input.writeFd, stdoutFd: output.readFd };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

/** The stdin of a program. It is closed after its last byte. */
function openInput(fd: number, text: string) {
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
      // Any other error means that the program has closed its stdin, which it may.
      if (errnoOf(error) !== 'EAGAIN') close();
    }
  };
  const awaited = (): readonly Awaited[] => (isOpen ? [{ fd, readiness: 'writable' }] : []);
  return { push, close, awaited };
}

/** The stdout of a program, up to the limit and a little more, which shows that the limit was exceeded. */
function openOutput(fd: number, limitBytes: number) {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let isEnded = false;
  const pullOnce = (): number => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    try {
      const readBytes = readSync(fd, chunk);
      chunks.push(chunk.subarray(0, readBytes));
      sizeBytes += readBytes;
      isEnded = readBytes === 0;
      return readBytes;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      return 0;
    }
  };
  return {
    /** Reads one chunk (a program may print as fast as this process reads), or everything in the pipe. */
    pull(amount: 'some' | 'all'): void {
      for (;;) if (pullOnce() === 0 || amount === 'some' || sizeBytes > limitBytes) return;
    },
    sizeBytes: () => sizeBytes,
    isEnded: () => isEnded,
    awaited: (): readonly Awaited[] => (isEnded ? [] : [{ fd, readiness: 'readable' }]),
    text: () => Buffer.concat(chunks).toString('utf8'),
    close: () => closeSync(fd),
  };
}

/** The capacity of a pipe. */
const CHUNK_BYTES = 65_536;
