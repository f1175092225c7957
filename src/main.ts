import { readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { answerWithError, runPlugin } from './plugin.ts';
import { errnoOf, stackOf } from './system/error-text.ts';
import { openLibcLoader } from './system/libc.ts';
import { acquireSlot } from './system/slot.ts';

// One byte more than the parser accepts, so that the parser rejects it.
const STDIN_LIMIT_BYTES = 16 * 1024 * 1024 + 1;
// The status of an internal error, from sysexits.h.
const EX_SOFTWARE = 70;

// Shared by all that need the C library. Each of them closes what it opens with it; the library itself needs no
// closing.
const libc = openLibcLoader();

async function main(): Promise<number> {
  const { env: environment, argv } = process;
  // Its default action would end the process in the middle of a command. build/executable.ts keeps it from starting a debugger.
  process.on('SIGUSR1', () => undefined);
  const io = { environment, writeStdout, writeStderr };
  const args = argv.slice(2);
  if (args.some((word) => FLAG.test(word)) || (environment['CNI_COMMAND'] ?? '') === '') {
    // node:tls, which only these commands use, would accept any server.
    delete environment['NODE_TLS_REJECT_UNAUTHORIZED'];
    const called = { name: basename(process.argv0), executablePath: process.execPath };
    const { runCli } = await import('./cli/cli.ts');
    const { isatty: isTerminal } = await import('node:tty');
    const columns = () => (isTerminal(1) ? process.stdout.columns : undefined);
    return runCli({
      ...io,
      args,
      called,
      stdin: () => process.stdin,
      readLine,
      writeStdoutNow,
      isTerminal,
      columns,
      listenForTermination,
      libc,
    });
  }
  let stdin: Uint8Array = Buffer.alloc(0);
  try {
    stdin = environment['CNI_COMMAND'] === 'VERSION' ? await readPromptStdin() : readStdin();
    using _slot = NEEDS_SLOT.has(environment['CNI_COMMAND'] ?? '') ? acquireSlot() : undefined;
    // Only now: so far there is nothing to undo, and a signal may end the process while it waits for stdin or for a slot.
    const signal = listenForTermination();
    return await runPlugin({ ...io, stdin, signal, libc });
  } catch (error) {
    // With too few open files, for example, not even the signals can be listened for.
    return await answerWithError({ ...io, stdin }, error);
  }
}

function listenForTermination(): AbortSignal {
  const termination = new AbortController();
  // A second signal does not interrupt the undo that the first one has started.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => termination.abort());
  return termination.signal;
}

/**
 * `-t` and `-v`, as Go's flag package spells them. They take precedence over CNI_COMMAND, because Calico's plugin parses
 * its flags first, and its callers may have CNI_COMMAND set. A runtime passes no arguments.
 */
const FLAG = /^--?[tv](=true)?$/;

/** Runtimes issue one of these for each pod, all at once. */
const NEEDS_SLOT: ReadonlySet<string> = new Set(['ADD', 'DEL', 'CHECK']);

/** What arrives on stdin promptly: VERSION repeats a version from it, and must not hang on an open, silent stdin. */
async function readPromptStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const { stdin } = process;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, PROMPT_STDIN_MS).unref();
    stdin
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', resolve)
      .once('error', resolve);
  });
  stdin.destroy();
  return Buffer.concat(chunks);
}

const PROMPT_STDIN_MS = 250;

function readStdin(): Uint8Array {
  const chunks: Buffer[] = [];
  for (let sizeBytes = 0; sizeBytes < STDIN_LIMIT_BYTES;) {
    const chunk = Buffer.allocUnsafe(65536);
    const readBytes = untilReady(() => readSync(0, chunk));
    if (readBytes === 0) break;
    chunks.push(chunk.subarray(0, readBytes));
    sizeBytes += readBytes;
  }
  return Buffer.concat(chunks);
}

// A terminal gives one line at a time.
function readLine(): string {
  const line = Buffer.alloc(1024);
  return line
    .subarray(
      0,
      untilReady(() => readSync(0, line)),
    )
    .toString('utf8');
}

async function writeStdout(text: string): Promise<void> {
  writeStdoutNow(text);
}

function writeStdoutNow(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(untilReady(() => writeSync(1, rest)));
}

function writeStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nothing reads stderr, and there is no other place to report it.
  }
}

// The caller may have made the pipe non-blocking. Blocking the thread is fine: the process has nothing else to do
// meanwhile.
function untilReady(transfer: () => number): number {
  for (;;) {
    try {
      return transfer();
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

void main().then(exit, (error: unknown) => {
  writeStderr(`${stackOf(error)}\n`);
  exit(EX_SOFTWARE);
});

/**
 * Everything is undone, closed and written by now. What else Node does at its end takes as long as an API request, and
 * is not needed.
 *
 * The event is a contract with build/code-cache-recorder.ts, which then writes the code caches: `process.exit` emits
 * it, `_exit(2)` does not.
 */
function exit(status: number): never {
  const loaded = libc.loaded();
  if (loaded !== undefined) {
    process.emit('exit', status);
    loaded.exit(status);
  }
  process.exit(status);
}
