import { monotonicMs } from '../system/monotonic-clock.ts';
import { describeFailingRenewal, readRenewalRecord } from './renewal-record.ts';

/**
 * `podwire install --check-renewal`: for the probes of the container that renews the token. The kubelet puts what this prints into the
 * event of a failed probe, so that the event says why.
 *
 * @param limitSeconds how old the last success of `podwire install --watch` may be
 * @returns the exit status
 */
export function checkRenewal(limitSeconds: number, writeStderr: (text: string) => void): number {
  const failure = describeFailingRenewal(readRenewalRecord(), monotonicMs(), limitSeconds);
  if (failure === undefined) return 0;
  writeStderr(`${failure}\n`);
  return 1;
}
