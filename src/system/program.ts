import { closeSync, readSync, writeSync } from 'node:fs';
import { monotonicMs } from './monotonic-clock.ts';
import { pause } from './pause.ts';
import { untilReady, type Awaited } from './readiness.ts';
import { errnoOf } from './error-text.ts';
import type { Libc, Pipe, ProgramStatus } from './libc.ts';

/** A program to start. */
export interface Program {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a program gets, and its limits. */
export interface ProgramInput {
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

/** A program that runs, and waits for its input. Disposing of it kills it, unless {@link finish} was called. */
export interface StartedProgram extends Disposable {
  /**
   * Gives the program its input, and waits for its pipes and its end at the same time. So it also returns if a child of the program keeps a
   * pipe open; what such a child prints afterwards is dropped.
   *
   * When this returns or throws, the program has ended, or is killed and about to end: a process that waits for a disk
   * ends when the disk answers.
   *
   * @throws the reason of the signal if that has ended it
   */
  finish(input: ProgramInput): Promise<ProgramEnd>;
}

/** {@link startProgram} with its C library. */
export type StartProgram = (program: Program) => StartedProgram;

/**
 * Starts a program; its stderr is ours. It is started with posix_spawn, because child_process first copies
 * the page tables of the whole process, and without node:net, whose sockets take longer to create than most programs
 * take to run.
 *
 * @throws {KernelError} if it cannot be started
 */
export function startProgram(program: Program, libc: Libc): StartedProgram {
  const { pid, stdinFd, stdoutFd } = start(program, libc);
  const descriptors = new DisposableStack();
  descriptors.defer(() => closeSync(stdoutFd));
  const endFd = libc.watchProgram(pid);
  if (endFd !== undefined) descriptors.defer(() => closeSync(endFd));
  const waiting = new DisposableStack();
  waiting.use(descriptors);
  waiting.defer(() => closeSync(stdinFd));
  waiting.defer(() => {
    libc.kill(pid);
    libc.reap(pid); // if it has ended by then; otherwise the kernel does it when this process ends
  });
  return {
    async finish({ stdin, stdoutLimitBytes, signal }) {
      signal.throwIfAborted();
      waiting.move();
      using _ = descriptors;
      const input = openInput(stdinFd, stdin);
      const output = openOutput(stdoutFd, stdoutLimitBytes);
      try {
        return await untilEnd(pid, { input, output, endFd, stdoutLimitBytes, signal }, libc);
      } finally {
        input.close();
      }
    },
    [Symbol.dispose]: () => waiting.dispose(),
  };
}

interface ProgramPipes extends Omit<ProgramInput, 'stdin'> {
  readonly input: ReturnType<typeof openInput>;
  readonly output: ReturnType<typeof openOutput>;
  readonly endFd: number | undefined;
}

async function untilEnd(
  pid: number,
  { input, output, endFd, stdoutLimitBytes, signal }: ProgramPipes,
  libc: Libc,
): Promise<ProgramEnd> {
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
}

/** How long an aborted run can go unnoticed. */
const ROUND_MS = 10;
const TIME_TO_DIE_MS = 500;

function awaitedEnd(fd: number | undefined): readonly Awaited[] {
  return fd === undefined ? [] : [{ fd, readiness: 'readable' }];
}

function start({ path, environment }: Program, libc: Libc): { pid: number; stdinFd: number; stdoutFd: number } {
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
  };
}

/** The capacity of a pipe. */
const CHUNK_BYTES = 65_536;
