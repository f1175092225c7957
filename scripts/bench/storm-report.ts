import { makeAxis } from '../../src/drawing/axis.ts';
import { formatMs } from './statistics.ts';
import type { Storm } from './storm.ts';
import { drawing, element, label, seriesClass } from '../../src/drawing/svg.ts';
import { formatMarkdownTable, type Table } from '../command-line/text-table.ts';
import { VERBS } from './comparison.ts';

/** Makes a table with a row for each storm. */
export function stormTable(storms: readonly Storm[]): Table {
  const head = [
    '',
    'at once',
    'wall time',
    'p50 ended',
    'per second',
    'CPU each',
    'memory',
    'requests',
    'response time, mean',
    'response time, p99 below',
    'server CPU each',
    'failed',
  ];
  const rows = storms.map(({ verb, count, wallMs, ends, cpuMs, memoryMb, api, failures }) => [
    verb,
    String(count),
    `${formatMs(wallMs)} ms`,
    `${formatMs(ends.p50)} ms`,
    (count / (wallMs / 1000)).toFixed(1),
    `${formatMs(cpuMs / count)} ms`,
    `${memoryMb.toFixed(0)} MB`,
    String(api.requests),
    `${formatMs(api.meanMs)} ms`,
    Number.isFinite(api.p99AtMostMs) ? `${api.p99AtMostMs.toFixed(0)} ms` : 'over 60 s',
    `${formatMs(api.cpuMs / count)} ms`,
    String(failures.length),
  ]);
  return { head, rows };
}

/** Formats the page of docs/benchmarks/. */
export function formatStormPage(machine: string, storms: readonly Storm[]): string {
  return `# Many at once

Written by \`npm run bench:scale\`. ${machine}, shared by the API server, etcd and all plugins.

All pods of a row are attached at once, then detached at once, as on a node after a reboot. CPU is that of the plugin and its delegate;
memory is what the whole machine used in addition; response times are measured by the API server, without the network.

![Many at once](storm.svg)

${formatMarkdownTable(stormTable(storms))}
`;
}

interface Panel {
  readonly title: string;
  readonly valueOf: (storm: Storm) => number;
}

const PANELS: readonly Panel[] = [
  { title: 'wall time, s', valueOf: ({ wallMs }) => wallMs / 1000 },
  { title: 'CPU each, ms', valueOf: ({ cpuMs, count }) => cpuMs / count },
  { title: 'response time of the API, mean, ms', valueOf: ({ api }) => api.meanMs },
  { title: 'memory of the machine, MB', valueOf: ({ memoryMb }) => memoryMb },
];
const PANEL_WIDTH = 380;
const PANEL_HEIGHT = 230;
const TOP = 60;

/** Draws four panels with the cost against the number of commands at once. */
export function drawStorms(storms: readonly Storm[], caption: string): string {
  const panels = PANELS.flatMap((panel, index) =>
    drawPanel(panel, storms, (index % 2) * PANEL_WIDTH, TOP + Math.floor(index / 2) * PANEL_HEIGHT),
  );
  const title = 'ADD and DEL, many at once';
  const legend = VERBS.flatMap((verb, index) => [
    element('rect', { x: 600 + index * 70, y: 14, width: 12, height: 12, class: seriesClass(index) }),
    label(618 + index * 70, 24, '', verb),
  ]);
  const heading = [label(16, 24, 'title', title), label(16, 44, 'quiet', caption), ...legend];
  return drawing({
    width: 2 * PANEL_WIDTH,
    height: TOP + 2 * PANEL_HEIGHT + 10,
    title,
    parts: [...heading, ...panels],
  });
}

function drawPanel({ title, valueOf }: Panel, storms: readonly Storm[], left: number, top: number): readonly string[] {
  const x = makeAxis(Math.max(...storms.map(({ count }) => count)), left + 56, left + PANEL_WIDTH - 24);
  const y = makeAxis(Math.max(...storms.map(valueOf)), top + PANEL_HEIGHT - 40, top + 30);
  const right = x.at(x.ticks.at(-1) ?? 0);
  const bottom = y.at(0);
  return [
    label(left + 16, top + 16, '', title),
    ...y.ticks.flatMap((tick) => [
      element('line', { x1: x.at(0), x2: right, y1: y.at(tick), y2: y.at(tick), class: 'axis' }),
      label(x.at(0) - 6, y.at(tick) + 4, 'quiet end', String(tick)),
    ]),
    ...x.ticks.map((tick) => label(x.at(tick), bottom + 16, 'quiet middle', String(tick))),
    ...VERBS.flatMap((verb, index) => {
      const points = storms
        .filter((storm) => storm.verb === verb)
        .map((storm) => [x.at(storm.count), y.at(valueOf(storm))] as const);
      const path = points.map(([pointX, pointY]) => `${pointX.toFixed(1)},${pointY.toFixed(1)}`).join(' ');
      return [
        element('polyline', { points: path, class: `${seriesClass(index)} line` }),
        ...points.map(([cx, cy]) => element('circle', { cx, cy, r: 3, class: seriesClass(index) })),
      ];
    }),
  ];
}
