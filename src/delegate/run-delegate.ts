import { CniError, ERROR_CODE } from '../cni/error.ts';
import { messageOf } from '../system/error-text.ts';
import type { ProgramEnd, ProgramRun, RunProgram } from '../system/program.ts';

/** One run of an IPAM plugin. */
export interface DelegateRun extends Omit<ProgramRun, 'stdoutLimitBytes' | 'signal'> {
  readonly budgetMs: number;
  /** Aborted when the runtime ends the command. */
  readonly signal: AbortSignal | undefined;
}

/** How it ended, and what it printed. */
export type DelegateExit = Omit<ProgramEnd, 'isTooLong'>;

const STDOUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Runs an IPAM plugin until it exits. When this returns or throws, the program has ended, or is killed and about to
 * end.
 *
 * @throws {CniError} tryAgainLater (11) if it exceeds the budget or the runtime ends this command, delegateFailed (102) if it
 *   cannot be started or prints more than 1 MiB
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
    if (limits.signal.aborted) throw endedError(path, budgetMs, signal);
    const message = `the IPAM plugin ${path} cannot be run: ${messageOf(cause)}`;
    throw new CniError(ERROR_CODE.delegateFailed, message, { cause, finding: 'PW104' });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
  throw new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} printed more than ${STDOUT_LIMIT_BYTES} bytes; a result has a few hundred`,
  );
}

function endedError(path: string, budgetMs: number, signal: AbortSignal | undefined): CniError {
  const message =
    signal?.aborted === true
      ? `the IPAM plugin ${path} was ended, because the runtime ended this command`
      : `the IPAM plugin ${path} did not answer within ${budgetMs} ms and was ended; ` +
        'check whether another process holds its lock, or its disk hangs';
  return new CniError(ERROR_CODE.tryAgainLater, message);
}
