import { spawn, type ChildProcess } from 'node:child_process';
import { CniError, ERROR_CODE } from '../cni/error.ts';

/** One run of an IPAM plugin. */
export interface DelegateRun {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
  readonly budgetMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How it ended: by an exit status or by a signal. */
export interface DelegateExit {
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
}

const STDOUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Runs the program to its end, its stderr being ours. Whatever happens, it is gone when this returns or throws.
 *
 * @throws {CniError} 11 if it does not end within the budget or the runtime ends us, 102 if it cannot be started or prints more than 1 MiB
 */
export async function runDelegate({ path, environment, stdin, budgetMs, signal }: DelegateRun): Promise<DelegateExit> {
  const limits = AbortSignal.any([AbortSignal.timeout(budgetMs), ...(signal === undefined ? [] : [signal])]);
  const child = spawn(path, [], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = (): void => {
    child.kill('SIGKILL');
    child.stdout.destroy(); // a grandchild may hold the pipe open for ever
  };
  limits.addEventListener('abort', kill, { once: true });
  if (limits.aborted) kill();
  try {
    // It may end before it has read all of its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const [exit, stdout] = await Promise.all([exitOf(child), readLimited(child, path)]);
    if (limits.aborted) throw tookTooLong(path, budgetMs, signal);
    return { ...exit, stdout };
  } catch (cause) {
    kill();
    if (cause instanceof CniError) throw cause;
    if (limits.aborted) throw tookTooLong(path, budgetMs, signal);
    throw new CniError(
      ERROR_CODE.delegateFailed,
      `the IPAM plugin ${path} cannot be run: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  } finally {
    limits.removeEventListener('abort', kill);
  }
}

function exitOf(child: ChildProcess): Promise<{ exitCode: number | null; killedBy: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, killedBy) => resolve({ exitCode, killedBy }));
  });
}

function readLimited(child: ChildProcess, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes <= STDOUT_LIMIT_BYTES) return;
      child.kill('SIGKILL');
      reject(
        new CniError(
          ERROR_CODE.delegateFailed,
          `the IPAM plugin ${path} printed more than ${STDOUT_LIMIT_BYTES} bytes; a result has a few hundred`,
        ),
      );
    });
    child.stdout?.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

function tookTooLong(path: string, budgetMs: number, signal: AbortSignal | undefined): CniError {
  if (signal?.aborted === true) {
    return new CniError(
      ERROR_CODE.tryAgainLater,
      `the IPAM plugin ${path} was ended, because the runtime ended this command`,
    );
  }
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `the IPAM plugin ${path} did not answer within ${budgetMs} ms and was ended; see whether another one holds its lock, or its disk hangs`,
  );
}
