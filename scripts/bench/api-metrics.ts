/** What an API server says about itself on /metrics, as far as it is wanted here. Counts grow from its start on. */
export interface ApiMetrics {
  readonly cpuSeconds: number;
  /** Answered requests on pods and nodes by others than watches. */
  readonly requests: number;
  readonly requestSeconds: number;
  /** Requests that took at most so many seconds; the last holds all. */
  readonly within: readonly { readonly seconds: number; readonly count: number }[];
  /** Turned away with 429. */
  readonly rejected: number;
}

/** What happened between two readings. */
export interface ApiActivity {
  readonly cpuMs: number;
  readonly requests: number;
  readonly meanMs: number;
  /** 99 of 100 requests took no longer: the edge of a bucket, so mostly less. */
  readonly p99AtMostMs: number;
  readonly rejected: number;
}

/**
 * The server's own figures from Prometheus's text format.
 *
 * @throws {Error} if the server's CPU time is not there
 */
export function parseApiMetrics(text: string): ApiMetrics {
  const samples = text.split('\n').flatMap((line) => parseSample(line) ?? []);
  const ours = samples.filter(({ name, labels }) => name.startsWith(DURATION) && isOurs(labels));
  const within = new Map<number, number>();
  for (const { name, labels, value } of ours) {
    if (name !== `${DURATION}_bucket`) continue;
    const seconds = labels.get('le') === '+Inf' ? Infinity : Number(labels.get('le'));
    within.set(seconds, (within.get(seconds) ?? 0) + value);
  }
  const total = (wanted: string) => sum(ours.filter(({ name }) => name === wanted));
  const cpu = samples.find(({ name }) => name === 'process_cpu_seconds_total');
  if (cpu === undefined) throw new Error('/metrics has no process_cpu_seconds_total');
  return {
    cpuSeconds: cpu.value,
    requests: total(`${DURATION}_count`),
    requestSeconds: total(`${DURATION}_sum`),
    within: [...within]
      .map(([seconds, count]) => ({ seconds, count }))
      .toSorted((left, right) => left.seconds - right.seconds),
    rejected: sum(samples.filter(({ name }) => name === 'apiserver_flowcontrol_rejected_requests_total')),
  };
}

/** The activity from one reading to a later one. */
export function activityBetween(before: ApiMetrics, after: ApiMetrics): ApiActivity {
  const requests = after.requests - before.requests;
  const counts = after.within.map(({ seconds, count }) => ({
    seconds,
    count: count - (before.within.find((bucket) => bucket.seconds === seconds)?.count ?? 0),
  }));
  const edge = counts.find(({ count }) => count >= 0.99 * requests);
  return {
    cpuMs: (after.cpuSeconds - before.cpuSeconds) * 1000,
    requests,
    meanMs: requests === 0 ? 0 : ((after.requestSeconds - before.requestSeconds) / requests) * 1000,
    p99AtMostMs: requests === 0 ? 0 : (edge?.seconds ?? Infinity) * 1000,
    rejected: after.rejected - before.rejected,
  };
}

const DURATION = 'apiserver_request_duration_seconds';

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

function parseSample(line: string): Sample | undefined {
  const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']): [string, string] => [
    key,
    text,
  ]);
  return { name, labels: new Map(pairs), value: Number(value) };
}

function isOurs(labels: ReadonlyMap<string, string>): boolean {
  const [verb = '', resource = ''] = [labels.get('verb'), labels.get('resource')];
  return (verb === 'GET' || verb === 'PATCH') && (resource === 'pods' || resource === 'nodes');
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
