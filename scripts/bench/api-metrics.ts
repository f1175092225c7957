/** The parts of an API server's /metrics that the benchmarks use. All counts are totals since the server's start. */
export interface ApiMetrics {
  readonly cpuSeconds: number;
  /** GET and PATCH requests for pods and nodes. */
  readonly requests: number;
  readonly requestSeconds: number;
  /** A cumulative histogram: how many requests took at most `seconds`. The last bucket counts all of them. */
  readonly within: readonly { readonly seconds: number; readonly count: number }[];
  /** Requests that were rejected with 429. */
  readonly rejected: number;
}

/** The difference of two readings. */
export interface ApiActivity {
  readonly cpuMs: number;
  readonly requests: number;
  readonly meanMs: number;
  /** An upper bound of the 99th percentile: the limit of its bucket. */
  readonly p99AtMostMs: number;
  readonly rejected: number;
}

/**
 * Parses the server's metrics in Prometheus's text format.
 *
 * @throws {Error} if the server's CPU time is missing
 */
export function parseApiMetrics(text: string): ApiMetrics {
  const samples = text.split('\n').flatMap((line) => parseSample(line) ?? []);
  const durations = samples.filter(({ name, labels }) => name.startsWith(DURATION) && isCounted(labels));
  const within = new Map<number, number>();
  for (const { name, labels, value } of durations) {
    if (name !== `${DURATION}_bucket`) continue;
    const seconds = labels.get('le') === '+Inf' ? Infinity : Number(labels.get('le'));
    within.set(seconds, (within.get(seconds) ?? 0) + value);
  }
  const total = (metric: string) => sum(durations.filter(({ name }) => name === metric));
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

/** Computes the activity between one reading and a later one. */
export function activityBetween(before: ApiMetrics, after: ApiMetrics): ApiActivity {
  const requests = after.requests - before.requests;
  const counts = after.within.map(({ seconds, count }) => ({
    seconds,
    count: count - (before.within.find((bucket) => bucket.seconds === seconds)?.count ?? 0),
  }));
  const bucket99 = counts.find(({ count }) => count >= 0.99 * requests);
  return {
    cpuMs: (after.cpuSeconds - before.cpuSeconds) * 1000,
    requests,
    meanMs: requests === 0 ? 0 : ((after.requestSeconds - before.requestSeconds) / requests) * 1000,
    p99AtMostMs: requests === 0 ? 0 : (bucket99?.seconds ?? Infinity) * 1000,
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

function isCounted(labels: ReadonlyMap<string, string>): boolean {
  const verb = labels.get('verb');
  const resource = labels.get('resource');
  return (verb === 'GET' || verb === 'PATCH') && (resource === 'pods' || resource === 'nodes');
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}
