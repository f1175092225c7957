import { CniError, ERROR_CODE } from '../cni/error.ts';
import { messageOf } from '../system/error-text.ts';
import type { Program, ProgramEnd, StartProgram } from '../system/program.ts';

/** What an IPAM plugin gets, and its limits. */
export interface DelegateInput {
  /** Its network configuration. */
  readonly stdin: string;
  readonly budgetMs: number;
  /** Aborted when the runtime ends the command. */
  readonly signal: AbortSignal | undefined;
}

/** How it ended, and what it printed. */
export type DelegateExit = Omit<ProgramEnd, 'isTooLong'>;

/** An IPAM plugin that runs, and does nothing until it gets its configuration. Disposing of it kills it, unless it has got that. */
export interface StartedDelegate extends Disposable {
  readonly path: string;
  /**
   * Gives it its configuration and waits until it exits. When this returns or throws, the program has ended, or is killed and about to
   * end.
   *
   * @throws {CniError} tryAgainLater (11) if it exceeds the budget or the runtime ends this command, delegateFailed (102) if it
   *   prints more than 1 MiB
   */
  finish(input: DelegateInput): Promise<DelegateExit>;
}

const STDOUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Starts an IPAM plugin.
 *
 * @throws {CniError} delegateFailed (102) if it cannot be started
 */
export function startDelegate(program: Program, startProgram: StartProgram): StartedDelegate {
  const { path } = program;
  const failure = (cause: unknown): CniError => {
    const message = `the IPAM plugin ${path} cannot be run: ${messageOf(cause)}`;
    return new CniError(ERROR_CODE.delegateFailed, message, { cause, finding: 'PW104' });
  };
  const started = withFailure(() => startProgram(program), failure);
  return {
    path,
    async finish({ stdin, budgetMs, signal }) {
      const limits = new AbortController();
      const end = (): void => limits.abort();
      const timer = setTimeout(end, budgetMs);
      if (signal?.aborted === true) end();
      signal?.addEventListener('abort', end, { once: true });
      try {
        const input = { stdin, stdoutLimitBytes: STDOUT_LIMIT_BYTES, signal: limits.signal };
        const { isTooLong, ...exit } = await started.finish(input);
        if (!isTooLong) return exit;
      } catch (cause) {
        throw limits.signal.aborted ? endedError(path, budgetMs, signal) : failure(cause);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
      }
      throw new CniError(
        ERROR_CODE.delegateFailed,
        `the IPAM plugin ${path} printed more than ${STDOUT_LIMIT_BYTES} bytes; a result has a few hundred`,
      );
    },
    [Symbol.dispose]: () => started[Symbol.dispose](),
  };
}

function withFailure<Result>(action: () => Result, failure: (cause: unknown) => CniError): Result {
  try {
    return action();
  } catch (cause) {
    throw failure(cause);
  }
}

function endedError(path: string, budgetMs: number, signal: AbortSignal | undefined): CniError {
  const message =
    signal?.aborted === true
      ? `the IPAM plugin ${path} was ended, because the runtime ended this command`
      : `the IPAM plugin ${path} did not answer within ${budgetMs} ms and was ended; ` +
        'check whether another process holds its lock, or its disk hangs';
  return new CniError(ERROR_CODE.tryAgainLater, message);
}
