import type { Table } from '../command-line/text-table.ts';

/** A cluster, and how much happens in it. */
export interface ClusterSize {
  readonly nodes: number;
  readonly pods: number;
  /** How long a pod lives on average: what is added is also deleted. */
  readonly podLifeHours: number;
}

export interface RequestRow {
  readonly what: string;
  /** Requests to the API for one. */
  readonly requestsEach: number;
  readonly timesPerNodeAndHour: number;
  readonly perNodeAndHour: number;
  readonly clusterPerSecond: number;
}

/** Requests of one ADD and one DEL, as `npm run bench` counts them in the API server's audit log. */
const [ADD_REQUESTS, DEL_REQUESTS] = [3, 2];
/** containerd polls STATUS every 5 s, of which one a minute reaches the API (docs/decisions/0008). */
const STATUS_PER_HOUR = 60;
/** The Node's uid, then a TokenRequest that is bound to it. An hour is the shortest life that a token usually has. */
const [TOKEN_REQUESTS, TOKENS_PER_HOUR] = [2, 1];

/** What podwire asks of the API in a steady cluster. */
export function requestBudget({ nodes, pods, podLifeHours }: ClusterSize): readonly RequestRow[] {
  const attachments = pods / nodes / podLifeHours;
  const rows = [
    ['ADD: pod and node, then the endpoint', ADD_REQUESTS, attachments],
    ['DEL: pod, then the endpoint', DEL_REQUESTS, attachments],
    ['CHECK: pod; CRI-O after each ADD, containerd never', 1, attachments],
    ['STATUS: node, at most once a minute', 1, STATUS_PER_HOUR],
    ['GC: nothing, but for a stale attachment a DEL', 0, 0],
    ['a new token: node, then TokenRequest', TOKEN_REQUESTS, TOKENS_PER_HOUR],
  ] as const;
  return rows.map(([what, requestsEach, timesPerNodeAndHour]) => {
    const perNodeAndHour = requestsEach * timesPerNodeAndHour;
    return {
      what,
      requestsEach,
      timesPerNodeAndHour,
      perNodeAndHour,
      clusterPerSecond: (perNodeAndHour * nodes) / 3600,
    };
  });
}

/** The budget as docs/scale.md shows it. */
export function requestBudgetTable(size: ClusterSize): Table {
  const head = [
    '',
    'requests each',
    'times per node and hour',
    'requests per node and hour',
    'whole cluster, per second',
  ];
  const budget = requestBudget(size);
  const total = (pick: (row: RequestRow) => number) => budget.reduce((sum, row) => sum + pick(row), 0);
  const rows = budget.map((row) => [
    row.what,
    String(row.requestsEach),
    formatCount(row.timesPerNodeAndHour),
    formatCount(row.perNodeAndHour),
    formatCount(row.clusterPerSecond),
  ]);
  const sums = [formatCount(total((row) => row.perNodeAndHour)), formatCount(total((row) => row.clusterPerSecond))];
  return { head, rows: [...rows, ['all', '-', '-', ...sums]] };
}

/** Requests that are in the server at one moment, by Little's law. */
export function requestsInFlight(perSecond: number, latencyMs: number): number {
  return (perSecond * latencyMs) / 1000;
}

function formatCount(value: number): string {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
