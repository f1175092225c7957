import { setTimeout as sleep } from 'node:timers/promises';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';

const ATTEMPT_MS = 1000;
const BUDGET_MS = 30_000;

/**
 * Waits until each URL of `readiness_gates` answers with a status of 2xx; asks again every second, for 30 s at the most.
 *
 * @throws {CniError} 11 naming the URL that did not
 */
export async function waitForReadinessGates(
  urls: readonly string[],
  signal: AbortSignal,
  { budgetMs = BUDGET_MS, attemptMs = ATTEMPT_MS }: { readonly budgetMs?: number; readonly attemptMs?: number } = {},
): Promise<void> {
  const endsAtMs = monotonicMs() + budgetMs;
  for (const url of urls) {
    let answer = await ask(url, attemptMs, signal);
    while (answer !== 'ready') {
      if (monotonicMs() + attemptMs > endsAtMs) throw notReady(url, answer, budgetMs);
      await sleep(attemptMs, undefined, { signal });
      answer = await ask(url, attemptMs, signal);
    }
  }
}

/** `ready`, or what stands in its way. */
async function ask(url: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  try {
    const limits = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]);
    const { ok, status } = await fetch(url, { signal: limits, redirect: 'error' });
    return ok ? 'ready' : `it answered ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error instanceof Error ? error : {};
    return `it could not be asked: ${cause instanceof Error ? cause.message : String(error)}`;
  }
}

function notReady(url: string, answer: string, budgetMs: number): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `the readiness gate ${url} was not ready within ${budgetMs / 1000} s; see the program that serves it`,
    {
      details: answer,
    },
  );
}
