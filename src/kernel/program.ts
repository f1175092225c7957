import { closeSync, read, write, writeSync } from 'node:fs';
import type { Libc, ProgramStatus } from './libc.ts';

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
 * Runs a program to its end; its stderr is ours. By posix_spawn, because child_process copies the page tables of the whole process first: on
 * the path of ADD and DEL that is the price of the program itself.
 *
 * When this returns or throws, the program is gone, or is being ended.
 *
 * @throws {KernelError} if it cannot be started; the signal's reason if that has ended it
 */
export async function runProgram(run: ProgramRun, libc: Libc): Promise<ProgramEnd> {
  const { path, environment, stdin, stdoutLimitBytes, signal } = run;
  signal.throwIfAborted();
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const [input, output] = [libc.openPipe(), libc.openPipe()];
  const ours = [input.writeFd, output.readFd];
  let pid: number;
  try {
    pid = libc.spawn(path, variables, { stdinFd: input.readFd, stdoutFd: output.writeFd });
  } catch (error) {
    for (const fd of ours) closeSync(fd);
    throw error;
  } finally {
    for (const fd of [input.readFd, output.writeFd]) closeSync(fd);
  }
  const ended = Promise.withResolvers<void>();
  // Its reader's thread may wait for ever, for a child of the program holds the pipe too: nobody waits for the thread then.
  const end = (): void => {
    libc.kill(pid);
    ended.resolve();
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    feed(input.writeFd, stdin);
    const { text, isTooLong } = await readAll(output.readFd, stdoutLimitBytes, { end, ended: ended.promise });
    const how = await reap(pid, libc, signal);
    signal.throwIfAborted();
    return { ...how, stdout: text, isTooLong };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

// Not by node:net, whose sockets take longer to make than most programs to run. That it may end before it has read all is its own affair.
function feed(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length > PIPE_BUF_BYTES) write(fd, bytes, () => closeSync(fd));
  else {
    try {
      writeSync(fd, bytes);
    } catch {
      // It has ended already.
    }
    closeSync(fd);
  }
}

// An empty pipe takes so much at once, whoever reads (pipe(7)); more waits for its reader, on a thread of the pool.
const PIPE_BUF_BYTES = 4096;

async function readAll(
  fd: number,
  limitBytes: number,
  { end, ended }: { readonly end: () => void; readonly ended: Promise<void> },
): Promise<{ text: string; isTooLong: boolean }> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const reading = new Promise<void>((resolve) => {
    const readOn = (): void =>
      read(fd, Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null, (error, readBytes, chunk) => {
        chunks.push(chunk.subarray(0, readBytes));
        sizeBytes += readBytes;
        if (sizeBytes > limitBytes) end();
        if (error === null && readBytes > 0 && sizeBytes <= limitBytes) return readOn();
        closeSync(fd);
        return resolve();
      });
    readOn();
  });
  await Promise.race([reading, ended]);
  return { text: Buffer.concat(chunks).toString('utf8'), isTooLong: sizeBytes > limitBytes };
}

const CHUNK_BYTES = 16_384;

// It has closed its stdout, so it ends in this very moment, as a rule. One that was told to stop and waits for a disk may never.
async function reap(pid: number, libc: Libc, signal: AbortSignal): Promise<ProgramStatus> {
  for (let round = 0; ; round++) {
    const status = libc.reap(pid);
    if (status !== undefined) return status;
    if (round > ROUNDS_MOST) signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      if (round < ROUNDS_AT_ONCE) setImmediate(resolve);
      else setTimeout(resolve, 1);
    });
  }
}

const ROUNDS_AT_ONCE = 100;
const ROUNDS_MOST = 1000;
