import { styleText } from 'node:util';
import type { Series } from './comparison.ts';
import { formatMs, formatRatio, percentile, spreadOf } from './statistics.ts';
import { formatMarkdownTable, formatTextTable, type Table } from '../command-line/text-table.ts';

/** Under which conditions the numbers were measured. */
export interface ComparisonConditions {
  readonly machine: string;
  readonly rounds: number;
  readonly togetherCount: number;
  readonly togetherRounds: number;
}

/** Makes the table for one at a time: a row for each command and plugin, with the ratio to the reference. */
export function aloneTable(series: readonly Series[], reference: string): Table {
  const head = ['', 'plugin', 'p50', 'p90', 'p99', 'ratio', 'CPU p50', 'ratio', 'memory', 'API requests'];
  return { head, rows: inOrder(series).map((one) => aloneRow(one, referenceFor(series, one, reference))) };
}

/** Makes the table for many at once, with the median of the rounds. */
export function togetherTable(series: readonly Series[], reference: string): Table {
  const head = ['', 'plugin', 'wall time', 'ratio', 'total CPU', 'ratio'];
  const rows = inOrder(series.filter(({ together }) => together.length > 0)).map((one) => {
    const other = referenceFor(series, one, reference);
    const wallMs = togetherMs(one, 'wallMs');
    const cpuMs = togetherMs(one, 'cpuMs');
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

/** Formats both tables for a terminal, in color if `stream` shows colors. */
export function formatComparison(
  series: readonly Series[],
  {
    reference,
    conditions,
    stream,
  }: { reference: string; conditions: ComparisonConditions; stream: NodeJS.WriteStream },
): string {
  const bold = (text: string) => styleText('bold', text, { stream });
  const section = (title: string, table: Table) => {
    const [head = '', ...rows] = formatTextTable(table).split('\n');
    return [bold(title), styleText('dim', head, { stream }), ...rows].join('\n');
  };
  const { machine, rounds, togetherCount, togetherRounds } = conditions;
  return [
    `${machine}; ratios refer to ${reference}`,
    section(`one at a time, ${rounds} rounds`, aloneTable(series, reference)),
    section(`${togetherCount} at once, median of ${togetherRounds} rounds`, togetherTable(series, reference)),
    '',
  ].join('\n\n');
}

/** Formats the page of docs/benchmarks/, which includes the drawing. */
export function formatComparisonPage(
  series: readonly Series[],
  reference: string,
  conditions: ComparisonConditions,
): string {
  const { machine, rounds, togetherCount, togetherRounds } = conditions;
  return `# ADD, CHECK, STATUS and DEL compared with another plugin

Written by \`npm run bench\`. ${machine}.

podwire reads the node from a real kube-apiserver on loopback (TLS, a service account's token, RBAC, an audit log), runs
the real host-local and writes the workload endpoint. ${describeReference(reference)}
bare is an executable that is built like podwire's and only communicates: it makes the same requests over one node:tls connection and runs
host-local (with Node's spawnSync, which takes a few milliseconds more than podwire's own way). It creates no interface, writes no record
and checks nothing. It shows which part of podwire's time Node and the protocol need.
All plugins are measured in one run, in turn, on the same sandbox; each executable is copied just before. The milliseconds depend on the
machine; the ratios hardly do.

![ADD, CHECK, STATUS and DEL](comparison.svg)

## One at a time

${rounds} rounds after a warm-up. CPU is user and system time of the plugin and its delegate; memory is the peak resident size of the larger of the two.
CHECK and STATUS are compared with the ADD of ${reference}.

${formatMarkdownTable(aloneTable(series, reference))}

## ${togetherCount} at once

The median of ${togetherRounds} rounds. Wall time is from the start of the first command to the end of the last.

${formatMarkdownTable(togetherTable(series, reference))}
`;
}

function describeReference(reference: string): string {
  if (reference !== 'ptp') return `Ratios refer to ${reference}.`;
  return 'ptp with host-local is the minimum of a Go plugin: it uses no API, and knows neither pods nor policies. Ratios refer to it.';
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

// The reference has no CHECK and STATUS. They should be cheap compared with its ADD.
function referenceFor(series: readonly Series[], one: Series, reference: string): Series | undefined {
  const verb = one.verb === 'DEL' ? 'DEL' : 'ADD';
  return series.find((other) => other.name === reference && other.verb === verb);
}
