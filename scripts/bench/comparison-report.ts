import { styleText } from 'node:util';
import type { Series } from './comparison.ts';
import { formatMs, formatRatio, percentile, spreadOf } from './statistics.ts';
import { formatMarkdownTable, formatTextTable, type Table } from '../command-line/text-table.ts';

/** How the numbers came about. */
export interface ComparisonCircumstances {
  readonly machine: string;
  readonly rounds: number;
  readonly togetherCount: number;
  readonly togetherRounds: number;
}

/** One at a time: a row for each command and plugin, with the ratio to the reference. */
export function aloneTable(series: readonly Series[], reference: string): Table {
  const head = ['', 'plugin', 'p50', 'p90', 'p99', 'ratio', 'CPU p50', 'ratio', 'memory', 'API requests'];
  return { head, rows: inOrder(series).map((one) => aloneRow(one, referenceFor(series, one, reference))) };
}

/** Many at once: the median of the rounds. */
export function togetherTable(series: readonly Series[], reference: string): Table {
  const head = ['', 'plugin', 'until the last', 'ratio', 'CPU of all', 'ratio'];
  const rows = inOrder(series.filter(({ together }) => together.length > 0)).map((one) => {
    const other = referenceFor(series, one, reference);
    const [wallMs, cpuMs] = [togetherMs(one, 'wallMs'), togetherMs(one, 'cpuMs')];
    return [
      one.verb,
      one.name,
      `${formatMs(wallMs)} ms`,
      formatRatio(wallMs, other && togetherMs(other, 'wallMs')),
      `${formatMs(cpuMs)} ms`,
      formatRatio(cpuMs, other && togetherMs(other, 'cpuMs')),
    ];
  });
  return { head, rows };
}

/** For a terminal; `stream` decides about colour. */
export function formatComparison(
  series: readonly Series[],
  {
    reference,
    circumstances,
    stream,
  }: { reference: string; circumstances: ComparisonCircumstances; stream: NodeJS.WriteStream },
): string {
  const bold = (text: string) => styleText('bold', text, { stream });
  const section = (title: string, table: Table) => {
    const [head = '', ...rows] = formatTextTable(table);
    return [bold(title), styleText('dim', head, { stream }), ...rows].join('\n');
  };
  const { machine, rounds, togetherCount, togetherRounds } = circumstances;
  return [
    `${machine}; ratios are to ${reference}`,
    section(`one at a time, ${rounds} rounds`, aloneTable(series, reference)),
    section(`${togetherCount} at once, median of ${togetherRounds} rounds`, togetherTable(series, reference)),
    '',
  ].join('\n\n');
}

/** The page of docs/benchmarks/, which shows the drawing beside it. */
export function formatComparisonPage(
  series: readonly Series[],
  reference: string,
  circumstances: ComparisonCircumstances,
): string {
  const { machine, rounds, togetherCount, togetherRounds } = circumstances;
  return `# ADD, CHECK, STATUS and DEL beside another plugin

Written by \`npm run bench\`. ${machine}.

podwire reads the pod and the node from a real kube-apiserver on loopback (TLS, a service account's token, RBAC, an audit log), runs
the real host-local and writes the workload endpoint. ${describeReference(reference)}
bare is an executable made as podwire's is, that only talks: node:tls, the same requests over one connection, host-local (by Node's own spawnSync,
which takes some ms more than podwire's way), and nothing else: no interface, no record, no check. It shows how much of podwire's time is
Node's and the protocol's.
All are measured in one run, in turns, on the same sandbox, each executable copied just before. The milliseconds are this machine's; the
ratios are what carries over.

![ADD, CHECK, STATUS and DEL](comparison.svg)

## One at a time

${rounds} rounds after a warm-up. CPU is user and system time of the plugin and its delegate; memory is the most that one of them had resident.
CHECK and STATUS are beside the ADD of ${reference}.

${formatMarkdownTable(aloneTable(series, reference))}

## ${togetherCount} at once

The median of ${togetherRounds} rounds: from the first one's start until the last has ended.

${formatMarkdownTable(togetherTable(series, reference))}
`;
}

function describeReference(reference: string): string {
  if (reference !== 'ptp') return `The ratios are to ${reference}.`;
  return 'ptp with host-local is the least that a Go plugin does: it asks no API, and knows neither pod nor policy.';
}

function aloneRow(one: Series, other: Series | undefined): readonly string[] {
  const wall = spreadOf(one.alone.map(({ wallMs }) => wallMs));
  const cpuMs = percentile(
    one.alone.map((cost) => cost.cpuMs),
    50,
  );
  const reference = other && {
    wallMs: percentile(
      other.alone.map(({ wallMs }) => wallMs),
      50,
    ),
    cpuMs: percentile(
      other.alone.map((cost) => cost.cpuMs),
      50,
    ),
  };
  return [
    one.verb,
    one.name,
    `${formatMs(wall.p50)} ms`,
    formatMs(wall.p90),
    formatMs(wall.p99),
    formatRatio(wall.p50, reference?.wallMs),
    `${formatMs(cpuMs)} ms`,
    formatRatio(cpuMs, reference?.cpuMs),
    `${(one.peakKb / 1024).toFixed(0)} MB`,
    String(one.apiRequests),
  ];
}

function togetherMs(series: Series, key: 'wallMs' | 'cpuMs'): number {
  return percentile(
    series.together.map((cost) => cost[key]),
    50,
  );
}

function inOrder(series: readonly Series[]): readonly Series[] {
  return ORDER.flatMap((verb) => series.filter((one) => one.verb === verb));
}

const ORDER = ['ADD', 'CHECK', 'STATUS', 'DEL'] as const;

// What only asks is to be cheap beside what does: the reference's ADD.
function referenceFor(series: readonly Series[], one: Series, reference: string): Series | undefined {
  const verb = one.verb === 'DEL' ? 'DEL' : 'ADD';
  return series.find((other) => other.name === reference && other.verb === verb);
}
