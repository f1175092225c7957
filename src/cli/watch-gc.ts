import { formatExplainedError, InstallError, isExplained } from '../install/install-error.ts';
import { runWithLog } from '../install/run-with-log.ts';
import type { Log } from '../log/log.ts';
import { messageOf } from '../system/error-text.ts';
import type { CliIo } from './cli-io.ts';
import { isEmpty, observeStale, removeStale } from './stale.ts';

/** The variable that turns it on. */
const VARIABLE = 'GC_EVERY_SECONDS';
/** What is younger than a minute is never released. */
const MIN_SECONDS = 60;

/**
 * Runs a command until it ends and, if GC_EVERY_SECONDS is set, does the work of `podwire gc --yes` meanwhile, at that
 * interval. Both end with the same signal. A failure to release something is a warning in the log, and is tried again.
 *
 * @param command gets the same `io`, with one signal for both
 * @returns the exit status of the command; 1 if GC_EVERY_SECONDS is invalid
 */
export async function runWithGc(io: CliIo, command: (io: CliIo) => Promise<number>): Promise<number> {
  const signal = io.listenForTermination();
  const shared: CliIo = { ...io, listenForTermination: () => signal };
  let everySeconds: number | undefined;
  const parsed = await runWithLog(io, async () => void (everySeconds = parseInterval(io.environment[VARIABLE])));
  if (parsed !== 0 || everySeconds === undefined) return parsed === 0 ? command(shared) : parsed;
  const ended = new AbortController();
  const collecting = runWithLog(io, (log) =>
    collectUntil(AbortSignal.any([signal, ended.signal]), (everySeconds ?? MIN_SECONDS) * 1000, shared, log),
  );
  try {
    return await command(shared);
  } finally {
    ended.abort();
    await collecting;
  }
}

/**
 * The interval; `undefined` if it is not set, or 0.
 *
 * @throws {InstallError} for anything but a whole number of at least {@link MIN_SECONDS}
 */
export function parseInterval(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) >= MIN_SECONDS) return Number(text);
  throw new InstallError(
    `${VARIABLE} is invalid: expected 0 or a whole number of seconds from ${MIN_SECONDS} on, got ${JSON.stringify(text.slice(0, 64))}`,
  );
}

async function collectUntil(signal: AbortSignal, everyMs: number, io: CliIo, log: Log): Promise<void> {
  while (!signal.aborted) {
    try {
      await collect(io, log);
    } catch (error) {
      log.warning(`gc: ${isExplained(error) ? formatExplainedError(error) : messageOf(error)}`);
    }
    await wait(everyMs, signal);
  }
}

async function collect(io: CliIo, log: Log): Promise<void> {
  const found = await observeStale(io);
  if ('why' in found) {
    log.warning(`gc: ${found.why.replaceAll('\n', '. ')}`);
    return;
  }
  if (isEmpty(found.stale)) return;
  const { summary, failures } = await removeStale(found, io);
  log.info(`gc: ${summary}`);
  for (const failure of failures) log.warning(`gc: could not remove ${failure}`);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
