import { join } from 'node:path';
import { CniError, type FindingNumber } from '../cni/error.ts';
import { parseJsonObject } from '../json/json.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';
import { readText, replaceFile } from '../system/files.ts';

/** The last result of asking the API, so that a node whose status is polled every few seconds does not ask as often. */
export interface StatusCache {
  /** Returns `undefined` if there is no result, or it is older than {@link MAX_SUCCESS_AGE_MS} or {@link MAX_FAILURE_AGE_MS}. */
  read(): StatusAnswer | undefined;
  write(answer: StatusAnswer): void;
}

/** The result of asking the API. */
export interface StatusAnswer {
  /** The message of the error with which an ADD would fail; `undefined` if it would succeed. */
  readonly failure: string | undefined;
  /** The number of that error, if it has one. */
  readonly finding?: FindingNumber | undefined;
  /** True if the server accepted connections at that time. */
  readonly isReachable: boolean;
  /** The server and the credentials with which it was asked: a result for others says nothing. */
  readonly connectionId: string;
}

/** How long a success is valid: runtimes ask every few seconds, on every node. */
const MAX_SUCCESS_AGE_MS = 60_000;

/** How long a failure is valid: a node whose fault has been corrected must become Ready soon (flannel#1989). */
const MAX_FAILURE_AGE_MS = 3000;

/** A reboot empties this folder, and resets the clock by which the age is measured. */
const STATUS_FOLDER = '/run/podwire';

/** Opens the cache of a network. It never fails: if it cannot be written, each STATUS asks the API. */
export function openStatusCache(network: string, folder = STATUS_FOLDER): StatusCache {
  const path = join(folder, `${network}.status.json`);
  const nowMs = () => Math.round(monotonicMs());
  return {
    read() {
      const { atMs, ...answer } = parse(readText(path) ?? '{}');
      const ageMs = nowMs() - atMs;
      const maxAgeMs = answer.failure === undefined ? MAX_SUCCESS_AGE_MS : MAX_FAILURE_AGE_MS;
      return ageMs >= 0 && ageMs < maxAgeMs ? answer : undefined;
    },
    write(answer) {
      try {
        replaceFile(path, JSON.stringify({ atMs: nowMs(), ...answer }));
      } catch {
        // A full /run: the next STATUS asks again.
      }
    },
  };
}

function parse(text: string): StatusAnswer & { readonly atMs: number } {
  try {
    const { atMs, failure, finding, isReachable, connectionId } = parseJsonObject(text);
    return {
      atMs: typeof atMs === 'number' ? atMs : Number.NEGATIVE_INFINITY,
      failure: typeof failure === 'string' ? failure : undefined,
      finding: isFindingNumber(finding) ? finding : undefined,
      isReachable: isReachable === true,
      connectionId: typeof connectionId === 'string' ? connectionId : '',
    };
  } catch (error) {
    if (error instanceof CniError) {
      return { atMs: Number.NEGATIVE_INFINITY, failure: undefined, isReachable: false, connectionId: '' };
    }
    throw error;
  }
}

function isFindingNumber(value: unknown): value is FindingNumber {
  return typeof value === 'string' && /^PW\d+$/.test(value);
}
