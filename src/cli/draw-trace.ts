import { makeAxis } from '../drawing/axis.ts';
import { drawing, drawTicks, element, label, seriesClass } from '../drawing/svg.ts';
import { escapeControls } from '../log/log-line.ts';
import type { ReadSpan, ReadTrace } from './read-trace.ts';
import type { Terminal } from './terminal.ts';

/** A span in a waterfall, below the one that it is part of. */
interface Row {
  readonly span: ReadSpan;
  readonly depth: number;
  /** Since the begin of the first span. */
  readonly beginMs: number;
  readonly endMs: number;
}

/** The title of a trace: `ADD of default/web, 47.3 ms`. */
export function describeTrace({ spans }: ReadTrace): string {
  const [first] = spans;
  const root = spans.find(({ attributes }) => attributes.has('cni.command')) ?? first;
  if (root === undefined || first === undefined) return 'no spans';
  const [namespace, pod] = ['k8s.namespace.name', 'k8s.pod.name'].map((key) => root.attributes.get(key));
  const of = pod === undefined ? '' : ` of ${namespace}/${pod}`;
  const code = root.attributes.get('cni.code') ?? '0';
  const end = code === '0' ? '' : `, failed with code ${code}`;
  return escapeControls(`${root.attributes.get('cni.command') ?? root.name}${of}, ${lengthOf(root)} ms${end}`);
}

/** Formats a trace for a terminal: a line for each span, with a bar that shows its time. */
export function formatTrace(trace: ReadTrace, { columns, symbols, paint }: Terminal): string {
  const rows = rowsOf(trace);
  const totalMs = Math.max(...rows.map(({ endMs }) => endMs), MIN_MS);
  const names = rows.map(({ span, depth }) => `${'  '.repeat(depth)}${escapeControls(span.name)}`);
  const nameColumns = Math.min(MAX_NAME_COLUMNS, Math.max(...names.map((name) => name.length)));
  const barColumns = columns - nameColumns - 1 - LENGTH_COLUMNS;
  const column = (ms: number) => Math.min(barColumns - 1, Math.round((ms / totalMs) * barColumns));
  const lines = rows.map(({ span, beginMs, endMs }, index) => {
    const from = column(beginMs);
    const bar = (symbols.canDraw ? '█' : '#').repeat(Math.max(1, Math.round((endMs / totalMs) * barColumns) - from));
    const name = (names[index] ?? '').slice(0, nameColumns).padEnd(nameColumns);
    const painted = span.error === undefined ? bar : paint('red', bar);
    return `${name} ${' '.repeat(from)}${painted}${' '.repeat(barColumns - from - bar.length)}${lengthOf(span).padStart(LENGTH_COLUMNS)}`;
  });
  const errors = rows.flatMap(({ span }) =>
    span.error === undefined ? [] : [`${symbols.failed} ${escapeControls(`${span.name}: ${span.error}`)}`],
  );
  return [
    paint('bold', describeTrace(trace)),
    paint('dim', `trace ${trace.traceId}; milliseconds`),
    ...lines,
    ...new Set(errors),
  ].join('\n');
}

const MIN_MS = 0.001;
const MAX_NAME_COLUMNS = 30;
const LENGTH_COLUMNS = 9;

const [WIDTH, LEFT, RIGHT, ROW, TOP] = [900, 240, 70, 20, 70];

/** Draws a trace as an SVG picture. */
export function drawTrace(trace: ReadTrace): string {
  const rows = rowsOf(trace);
  const axis = makeAxis(Math.max(...rows.map(({ endMs }) => endMs), MIN_MS), LEFT, WIDTH - RIGHT);
  const bottom = TOP + rows.length * ROW + 4;
  const ticks = drawTicks(axis, TOP - 6, bottom);
  const bars = rows.flatMap(({ span, depth, beginMs, endMs }, index) => {
    const y = TOP + index * ROW;
    const [from, to] = [axis.at(beginMs), axis.at(endMs)];
    const color = span.error === undefined ? seriesClass(groupOf(span.name)) : 'series-3';
    return [
      label(16 + depth * 14, y + 12, '', span.name),
      element('rect', { x: from, y: y + 2, width: Math.max(2, to - from), height: ROW - 7, class: color }),
      label(Math.max(from + 2, to) + 6, y + 12, 'quiet', lengthOf(span)),
    ];
  });
  const title = describeTrace(trace);
  const heading = [
    label(16, 24, 'title', title),
    label(16, 44, 'quiet', `trace ${trace.traceId}; milliseconds since the first span began`),
  ];
  return drawing({ width: WIDTH, height: bottom + 30, title, parts: [...heading, ...ticks, ...bars] });
}

// One color each for the API, the IPAM plugin, and the rest.
function groupOf(name: string): number {
  if (/^(GET|PATCH|POST) |^endpoint$/.test(name)) return 0;
  return name.startsWith('ipam') ? 2 : 1;
}

function lengthOf({ beginNs, endNs }: ReadSpan): string {
  return (Number(endNs - beginNs) / 1e6).toFixed(1);
}

// Spans whose parent is elsewhere (the caller's, in another file) come first. Children follow their parent.
function rowsOf({ spans }: ReadTrace): readonly Row[] {
  const ids = new Set(spans.map(({ id }) => id));
  const startNs = spans[0]?.beginNs ?? 0n;
  const ms = (ns: bigint) => Number(ns - startNs) / 1e6;
  const shown = new Set<ReadSpan>();
  const below = (parentId: string | undefined, depth: number): readonly Row[] =>
    spans
      .filter((span) => (parentId === undefined ? !ids.has(span.parentId) : span.parentId === parentId))
      .flatMap((span) => {
        if (shown.has(span)) return []; // a damaged file can have a circle
        shown.add(span);
        return [{ span, depth, beginMs: ms(span.beginNs), endMs: ms(span.endNs) }, ...below(span.id, depth + 1)];
      });
  return below(undefined, 0);
}
