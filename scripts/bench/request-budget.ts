import type { Table } from '../command-line/text-table.ts';

/** The size of a cluster and the rate of its pods. */
export interface ClusterSize {
  readonly nodes: number;
  readonly pods: number;
  /** How long a pod lives on average. Every pod that is added is also deleted. */
  readonly podLifeHours: number;
}

export interface RequestRow {
  readonly what: string;
  /** API requests per occurrence. */
  readonly requestsEach: number;
  readonly timesPerNodeAndHour: number;
  readonly perNodeAndHour: number;
  readonly clusterPerSecond: number;
}

// `npm run bench` counts these in the API server's audit log.
const ADD_REQUESTS = 2;
const DEL_REQUESTS = 1;
// containerd calls STATUS every 5 s; one call a minute reaches the API (docs/decisions/0008).
const STATUS_PER_HOUR = 60;
// The Node's uid, then a TokenRequest that is bound to it. A token usually lives for at least an hour.
const TOKEN_REQUESTS = 2;
const TOKENS_PER_HOUR = 1;
// Every five minutes: whether the token is accepted, then the two requests of a renewal, whose token is discarded.
const TOKEN_CHECK_REQUESTS = 3;
const TOKEN_CHECKS_PER_HOUR = 12;

/** Computes how many requests podwire makes in a cluster whose number of pods is constant. */
export function requestBudget({ nodes, pods, podLifeHours }: ClusterSize): readonly RequestRow[] {
  const attachments = pods / nodes / podLifeHours;
  const rows = [
    ['ADD: node, then the endpoint', ADD_REQUESTS, attachments],
    ['DEL: the endpoint', DEL_REQUESTS, attachments],
    ['CHECK: pod; CRI-O after each ADD, containerd never', 1, attachments],
    ['STATUS: node, at most once a minute', 1, STATUS_PER_HOUR],
    ['GC: none, except a DEL for each stale attachment', 0, 0],
    ['a new token: node, then TokenRequest', TOKEN_REQUESTS, TOKENS_PER_HOUR],
    ['a test of the renewal: version, node, TokenRequest', TOKEN_CHECK_REQUESTS, TOKEN_CHECKS_PER_HOUR],
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

/** Makes the table of docs/scale.md. */
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

/** Computes how many requests the server has at one moment, by Little's law. */
export function requestsInFlight(perSecond: number, latencyMs: number): number {
  return (perSecond * latencyMs) / 1000;
}

function formatCount(value: number): string {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
