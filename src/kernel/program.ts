import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { getBuiltinModule } from 'node:process';
import type { Libc } from './libc.ts';

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
export interface ProgramEnd {
  readonly exitCode: number | undefined;
  /** The signal's number. */
  readonly killedBy: number | undefined;
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
  const net = getBuiltinModule('node:net'); // at the first use: a DEL has its link's deletion under way before it is loaded
  const toProgram = new net.Socket({ fd: input.writeFd, readable: false, writable: true });
  const fromProgram = new net.Socket({ fd: output.readFd, readable: true, writable: false });
  const end = (): void => {
    libc.kill(pid);
    toProgram.destroy();
    fromProgram.destroy(); // a child of its own may hold the pipe open for ever
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    toProgram.on('error', () => undefined).end(stdin); // it may end before it has read all
    const [{ text, isTooLong }, ended] = await Promise.all([
      readAll(fromProgram, stdoutLimitBytes, end),
      libc.waitFor(pid),
    ]);
    signal.throwIfAborted();
    return { ...ended, stdout: text, isTooLong };
  } finally {
    signal.removeEventListener('abort', end);
    toProgram.destroy();
  }
}

function readAll(stream: Socket, limitBytes: number, end: () => void): Promise<{ text: string; isTooLong: boolean }> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) end();
    });
    stream.on('error', () => undefined); // 'close' follows
    stream.once('close', () =>
      resolve({ text: Buffer.concat(chunks).toString('utf8'), isTooLong: sizeBytes > limitBytes }),
    );
  });
}
