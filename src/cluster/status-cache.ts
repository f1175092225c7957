import { uptime } from 'node:os';
import { join } from 'node:path';
import { CniError } from '../cni/error.ts';
import { parseJsonObject } from '../json/json.ts';
import { readText, replaceFile } from '../system/files.ts';

/** What the API answered when it was last asked, so that a node that is polled every few seconds does not ask it as often. */
export interface StatusCache {
  /** `undefined` if there is none that is younger than this. */
  read(mostAgeMs: number): StatusAnswer | undefined;
  write(answer: StatusAnswer): void;
}

/** What is remembered of the API. */
export interface StatusAnswer {
  /** Why an ADD would fail, in the words of the error; `undefined`: it would not. */
  readonly failure: string | undefined;
  /** Whether the server took connections then. */
  readonly isReachable: boolean;
}

/** Gone after a reboot, as the machine's uptime by which its age is told. */
const STATUS_FOLDER = '/run/podwire';

/** The memo of a network. It is never an error: where it cannot be kept, the API is asked each time. */
export function openStatusCache(network: string, folder = STATUS_FOLDER): StatusCache {
  const path = join(folder, `${network}.status.json`);
  const nowMs = () => Math.round(uptime() * 1000);
  return {
    read(mostAgeMs) {
      const { atMs, ...answer } = parse(readText(path) ?? '{}');
      const ageMs = nowMs() - atMs;
      return ageMs >= 0 && ageMs < mostAgeMs ? answer : undefined;
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
