import { CniError, ERROR_CODE } from '../cni/error.ts';
import { messageOf } from '../system/error-text.ts';

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
  readonly exitCode: number | undefined;
  /** The signal's number. */
  readonly killedBy: number | undefined;
  readonly stdout: string;
}

/** Runs a program to its end. Rejects if it cannot be started, or with the reason of a signal that has ended it. */
export type RunProgram = (run: {
  readonly path: string;
  readonly environment: DelegateRun['environment'];
  readonly stdin: string;
  readonly stdoutLimitBytes: number;
  readonly signal: AbortSignal;
}) => Promise<DelegateExit & { readonly isTooLong: boolean }>;

const STDOUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Runs an IPAM plugin to its end. Whatever happens, it is gone, or killed and about to be, when this returns or throws.
 *
 * @throws {CniError} 11 if it does not end within the budget or the runtime ends us, 102 if it cannot be started or prints more than 1 MiB
 */
export async function runDelegate(
  { budgetMs, signal, ...program }: DelegateRun,
  runProgram: RunProgram,
): Promise<DelegateExit> {
  const { path } = program;
  const limits = new AbortController();
  const end = (): void => limits.abort();
  const timer = setTimeout(end, budgetMs);
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const { isTooLong, ...exit } = await runProgram({
      ...program,
      stdoutLimitBytes: STDOUT_LIMIT_BYTES,
      signal: limits.signal,
    });
    if (!isTooLong) return exit;
  } catch (cause) {
    if (limits.signal.aborted) throw tookTooLong(path, budgetMs, signal);
    const why = messageOf(cause);
    throw new CniError(ERROR_CODE.delegateFailed, `the IPAM plugin ${path} cannot be run: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} printed more than ${STDOUT_LIMIT_BYTES} bytes; a result has a few hundred`,
  );
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
