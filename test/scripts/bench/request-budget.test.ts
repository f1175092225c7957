import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { activityBetween, parseApiMetrics } from '../../../scripts/bench/api-metrics.ts';
import { requestBudget, requestBudgetTable, requestsInFlight } from '../../../scripts/bench/request-budget.ts';
import { drawStorms, stormTable } from '../../../scripts/bench/storm-report.ts';
import type { Storm } from '../../../scripts/bench/storm.ts';
import { formatMarkdownTable } from '../../../scripts/command-line/text-table.ts';

const metrics = (cpuSeconds: number, [fast, slow]: readonly [number, number]) =>
  parseApiMetrics(`# HELP process_cpu_seconds_total CPU
process_cpu_seconds_total ${cpuSeconds}
apiserver_request_duration_seconds_bucket{resource="pods",verb="GET",le="0.005"} ${fast}
apiserver_request_duration_seconds_bucket{resource="pods",verb="GET",le="0.1"} ${fast + slow}
apiserver_request_duration_seconds_bucket{resource="pods",verb="GET",le="+Inf"} ${fast + slow}
apiserver_request_duration_seconds_sum{resource="pods",verb="GET"} ${fast * 0.002 + slow * 0.05}
apiserver_request_duration_seconds_count{resource="pods",verb="GET"} ${fast + slow}
apiserver_request_duration_seconds_count{resource="pods",verb="WATCH"} 7
apiserver_request_duration_seconds_count{resource="secrets",verb="GET"} 7
apiserver_flowcontrol_rejected_requests_total{flow_schema="a \\"b\\"",reason="queue-full"} 2
`);

describe("the API server's own figures", () => {
  it('are the difference of two readings', () => {
    const activity = activityBetween(metrics(1, [0, 0]), metrics(1.5, [90, 10]));
    expect(activity).toEqual({ cpuMs: 500, requests: 100, meanMs: 6.8, p99AtMostMs: 100, rejected: 0 });
  });
  it('include the bucket of the 99th percentile', () =>
    expect(activityBetween(metrics(1, [0, 0]), metrics(1, [99, 1])).p99AtMostMs).toBe(5));
  it('are zero for a time without requests', () =>
    expect(activityBetween(metrics(1, [5, 5]), metrics(1, [5, 5]))).toMatchObject({ meanMs: 0, p99AtMostMs: 0 }));
  it('count rejected requests', () => expect(metrics(1, [0, 0]).rejected).toBe(2));
  it('are rejected if they are not metrics', () => expect(() => parseApiMetrics('Forbidden')).toThrow('process_cpu'));
});

describe('the budget of requests', () => {
  const size = { nodes: 5000, pods: 150_000, podLifeHours: 1 };

  it('counts an ADD and a DEL for every pod that starts and ends', () =>
    expect(requestBudget(size)[0]).toMatchObject({
      timesPerNodeAndHour: 30,
      perNodeAndHour: 60,
      clusterPerSecond: 60 * (5000 / 3600),
    }));
  it('is smaller if pods live longer', () =>
    expect(requestBudget({ ...size, podLifeHours: 10 })[0]?.perNodeAndHour).toBe(6));
  it('has the sum in its last row', () => {
    const sum = requestBudget(size).reduce((total, row) => total + row.clusterPerSecond, 0);
    expect(requestBudgetTable(size).rows.at(-1)?.at(-1)).toBe(sum.toFixed(0));
  });
  it('has as many requests in the server as arrive during one request', () => expect(requestsInFlight(200, 5)).toBe(1));
  it('equals the tables of docs/scale.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/scale.md'), 'utf8');
    for (const podLifeHours of [1, 24]) {
      expect(page).toContain(formatMarkdownTable(requestBudgetTable({ ...size, podLifeHours })));
    }
  });
});

describe('many at once', () => {
  const storm = (count: number, verb: 'ADD' | 'DEL', failures: readonly string[] = []): Storm => ({
    count,
    verb,
    wallMs: 1000,
    ends: { p50: 500, p90: 900, p99: 1000 },
    cpuMs: 2000,
    memoryMb: 100,
    api: { cpuMs: 40, requests: 30, meanMs: 6, p99AtMostMs: Infinity, rejected: 0 },
    failures,
  });

  it('the table shows the cost of each command', () => {
    const [row] = stormTable([storm(10, 'ADD', ['no route'])]).rows;
    expect(row).toEqual([
      'ADD',
      '10',
      '1000 ms',
      '500 ms',
      '10.0',
      '200 ms',
      '100 MB',
      '30',
      '6.0 ms',
      'over 60 s',
      '4.0 ms',
      '1',
    ]);
  });
  it('the drawing has a point for each storm in each of its four panels', () =>
    expect(drawStorms([storm(1, 'ADD'), storm(50, 'ADD'), storm(1, 'DEL')], '').split('<circle').length - 1).toBe(12));
});
