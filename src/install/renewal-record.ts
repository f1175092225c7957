import { readFileSync } from 'node:fs';
import { isJsonObject, parseJson } from '../json/json.ts';
import { replaceFile } from '../system/files.ts';

/** What `install --watch` tells the probes of its container, on the clock of `monotonicMs()`, which all processes of a machine share. */
export interface RenewalRecord {
  /** When it last renewed the token, or tested that it can. `undefined`: not yet. */
  readonly succeededAtMs: number | undefined;
  /** Why the last attempt failed. `undefined`: it succeeded. */
  readonly failure: string | undefined;
}

/** In the DaemonSet this folder is a volume of the pod, because the root of the container is read-only. */
export const RENEWAL_RECORD_PATH = '/run/podwire/renewal.json';

/**
 * Replaces the record.
 *
 * @throws an errno of node:fs
 */
export function writeRenewalRecord({ succeededAtMs, failure }: RenewalRecord, path = RENEWAL_RECORD_PATH): void {
  replaceFile(path, JSON.stringify({ succeededAtMs: succeededAtMs ?? null, failure: failure ?? null }));
}

/** Reads the record. `undefined` if it does not exist or cannot be read. */
export function readRenewalRecord(path = RENEWAL_RECORD_PATH): RenewalRecord | undefined {
  try {
    const record = parseJson(readFileSync(path, 'utf8'));
    if (!isJsonObject(record)) return undefined;
    const { succeededAtMs, failure } = record;
    return {
      succeededAtMs: typeof succeededAtMs === 'number' ? succeededAtMs : undefined,
      failure: typeof failure === 'string' ? failure : undefined,
    };
  } catch {
    return undefined;
  }
}

/**
 * Explains why the renewal counts as failing: its last success is older than the limit, or it has not succeeded since this boot.
 *
 * @param nowMs on the clock of the record
 * @returns `undefined` if the last success is recent enough
 */
export function describeFailingRenewal(
  record: RenewalRecord | undefined,
  nowMs: number,
  limitSeconds: number,
): string | undefined {
  const ageSeconds = record?.succeededAtMs === undefined ? undefined : (nowMs - record.succeededAtMs) / 1000;
  // The clock begins again with each boot: a record from the future is of an earlier one.
  if (ageSeconds !== undefined && ageSeconds >= 0 && ageSeconds <= limitSeconds) return undefined;
  const since =
    ageSeconds === undefined || ageSeconds < 0
      ? 'the token of the plugin was not renewed yet'
      : `the token of the plugin was neither renewed nor its renewal tested for ${Math.floor(ageSeconds)} s`;
  return `${since}: ${record?.failure ?? NO_ATTEMPT}`;
}

const NO_ATTEMPT = 'no attempt has ended since then; see the log of "podwire install --watch"';
