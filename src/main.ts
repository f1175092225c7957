import { readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { acquireSlot } from './system/slot.ts';
import { openKernel, type Kernel } from './kernel/kernel.ts';
import { runPlugin } from './plugin.ts';
import { errnoOf, stackOf } from './system/error-text.ts';

// One byte more than the parser takes, so that it is the one to refuse.
const STDIN_LIMIT_BYTES = 16 * 1024 * 1024 + 1;

async function main(kernel: Kernel): Promise<number> {
  const { env: environment, argv } = process;
  // Node would warn that nothing is verified any more. cluster/connect-socket.ts verifies whatever it says.
  delete environment['NODE_TLS_REJECT_UNAUTHORIZED'];
  const io = { environment, writeStdout, writeStderr };
  if ((environment['CNI_COMMAND'] ?? '') === '') {
    const called = { name: basename(process.argv0), executablePath: process.execPath };
    const { runCli } = await import('./cli.ts');
    return runCli({ ...io, args: argv.slice(2), called, readStdin, listenForTermination });
  }
  const stdin = environment['CNI_COMMAND'] === 'VERSION' ? await readWaiting() : readStdin();
  using _slot = NEEDS_SLOT.has(environment['CNI_COMMAND'] ?? '') ? acquireSlot() : undefined;
  // Only now: until here there is nothing to undo, and a signal may end us while we wait for stdin or for our turn.
  const signal = listenForTermination();
  return await runPlugin({ ...io, stdin, signal, kernel });
}

function listenForTermination(): AbortSignal {
  const ended = new AbortController();
  // A second signal is no reason to end in the middle of undoing.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => ended.abort());
  return ended.signal;
}

/** Of which a runtime sends as many at once as a node has pods. */
const NEEDS_SLOT: ReadonlySet<string> = new Set(['ADD', 'DEL', 'CHECK']);

/** What comes by stdin at once: VERSION echoes a version from it, and is not to wait for one that stays open and silent. */
async function readWaiting(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const { stdin } = process;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, STDIN_PATIENCE_MS).unref();
    stdin
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', resolve)
      .once('error', resolve);
  });
  stdin.destroy();
  return Buffer.concat(chunks);
}

const STDIN_PATIENCE_MS = 250;

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

async function writeStdout(text: string): Promise<void> {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(untilReady(() => writeSync(1, rest)));
}

function writeStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads it, and there is no other place to say so.
  }
}

// A caller may have made the pipe non-blocking; the process has nothing else to do meanwhile.
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

const kernel = openKernel(); // opens and loads nothing before it is needed

void main(kernel).then(
  (status) => leave(status),
  (error: unknown) => {
    writeStderr(`${stackOf(error)}\n`);
    leave(70);
  },
);

// All is undone, closed and written by now. What Node still does takes as long as a request, and nobody needs it.
function leave(status: number): void {
  process.emit('exit', status);
  kernel.exitProcess(status);
  process.exit(status);
}
