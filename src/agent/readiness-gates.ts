import { CniError, ERROR_CODE } from '../cni/error.ts';
import { messageOf } from '../system/error-text.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';
import { pause } from '../system/pause.ts';

const ATTEMPT_MS = 1000;
const BUDGET_MS = 30_000;

/**
 * Waits until each URL of `readiness_gates` responds with a status of 2xx; tries again every second, for at most 30 s.
 *
 * @throws {CniError} tryAgainLater (11) naming the URL that did not
 */
export async function waitForReadinessGates(
  urls: readonly string[],
  signal: AbortSignal,
  { budgetMs = BUDGET_MS, attemptMs = ATTEMPT_MS }: { readonly budgetMs?: number; readonly attemptMs?: number } = {},
): Promise<void> {
  const endsAtMs = monotonicMs() + budgetMs;
  for (const url of urls) {
    let state = await request(url, attemptMs, signal);
    while (state !== 'ready') {
      if (monotonicMs() + attemptMs > endsAtMs) throw notReadyError(url, state, budgetMs);
      await pause(attemptMs, signal);
      state = await request(url, attemptMs, signal);
    }
  }
}

/** `ready`, or why it is not. */
async function request(url: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  try {
    const limits = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]);
    const { ok, status } = await fetch(url, { signal: limits, redirect: 'error' });
    return ok ? 'ready' : `it responded with status ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    // fetch says `fetch failed`, and puts the reason into the cause.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return `the request failed: ${messageOf(cause)}`;
  }
}

function notReadyError(url: string, state: string, budgetMs: number): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `the readiness gate ${url} was not ready within ${budgetMs / 1000} s; check the program that serves it`,
    {
      details: state,
    },
  );
}
