import { uptime } from 'node:os';
import { join } from 'node:path';
import { CniError } from '../cni/error.ts';
import { parseJsonObject } from '../json/json.ts';
import { readText, replaceFile } from '../system/files.ts';

/** The last result of asking the API, so that a node whose status is polled every few seconds does not ask as often. */
export interface StatusCache {
  /** Returns `undefined` if there is no result that is younger than this. */
  read(maxAgeMs: number): StatusAnswer | undefined;
  write(answer: StatusAnswer): void;
}

/** The result of asking the API. */
export interface StatusAnswer {
  /** The message of the error with which an ADD would fail; `undefined` if it would succeed. */
  readonly failure: string | undefined;
  /** True if the server accepted connections at that time. */
  readonly isReachable: boolean;
}

/** A reboot empties this folder, and resets the uptime by which the age is measured. */
const STATUS_FOLDER = '/run/podwire';

/** Opens the cache of a network. It never fails: if it cannot be written, each STATUS asks the API. */
export function openStatusCache(network: string, folder = STATUS_FOLDER): StatusCache {
  const path = join(folder, `${network}.status.json`);
  const nowMs = () => Math.round(uptime() * 1000);
  return {
    read(maxAgeMs) {
      const { atMs, ...answer } = parse(readText(path) ?? '{}');
      const ageMs = nowMs() - atMs;
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
    const { atMs, failure, isReachable } = parseJsonObject(text);
    return {
      atMs: typeof atMs === 'number' ? atMs : Number.NEGATIVE_INFINITY,
      failure: typeof failure === 'string' ? failure : undefined,
      isReachable: isReachable === true,
    };
  } catch (error) {
    if (error instanceof CniError) return { atMs: Number.NEGATIVE_INFINITY, failure: undefined, isReachable: false };
    throw error;
  }
}
