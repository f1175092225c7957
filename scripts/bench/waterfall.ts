import { makeAxis } from '../../src/drawing/axis.ts';
import { drawing, drawTicks, element, label, seriesClass } from '../../src/drawing/svg.ts';
import type { TracedStep } from './trace.ts';

/** The steps of one command from start to end. */
export interface Waterfall {
  readonly title: string;
  readonly caption: string;
  readonly steps: readonly TracedStep[];
  /** From the start to the end of the process, as its caller measured it. */
  readonly wallMs: number;
}

const TEXT_COLUMNS = 60;
const PROCESS_END = 'process ended';

/** Formats a waterfall as text: a line for each step, with a bar that shows its time. */
export function formatWaterfall({ title, steps, wallMs }: Waterfall): string {
  const endMs = Math.max(wallMs, ...steps.map((step) => step.endMs));
  const column = (atMs: number) => Math.round((atMs / endMs) * TEXT_COLUMNS);
  const width = Math.max(...steps.map((step) => step.label.length));
  const lines = steps.map((step) => {
    const from = column(step.beginMs);
    const to = column(step.endMs);
    const bar = step.endMs > step.beginMs ? '#'.repeat(Math.max(1, to - from)) : '|';
    const length = step.endMs > step.beginMs ? ` ${(step.endMs - step.beginMs).toFixed(1)}` : '';
    return `${step.beginMs.toFixed(1).padStart(7)}  ${step.label.padEnd(width)}  ${' '.repeat(from)}${bar}${length}`;
  });
  const end = `${wallMs.toFixed(1).padStart(7)}  ${PROCESS_END.padEnd(width)}  ${' '.repeat(column(wallMs))}|`;
  return [`${title} (milliseconds since the process began)`, ...lines, end].join('\n');
}

const WIDTH = 900;
const LEFT = 270;
const RIGHT = 60;
const ROW = 20;
const TOP = 70;

/** Draws a waterfall as an SVG picture. */
export function drawWaterfall({ title, caption, steps, wallMs }: Waterfall): string {
  const axis = makeAxis(Math.max(wallMs, ...steps.map((step) => step.endMs)), LEFT, WIDTH - RIGHT);
  const rows = [...steps, { label: PROCESS_END, beginMs: wallMs, endMs: wallMs }];
  const bottom = TOP + rows.length * ROW + 4;
  const ticks = drawTicks(axis, TOP - 6, bottom);
  const bars = rows.flatMap((step, row) => {
    const y = TOP + row * ROW;
    const from = axis.at(step.beginMs);
    const to = axis.at(step.endMs);
    const length = step.endMs > step.beginMs ? (step.endMs - step.beginMs).toFixed(1) : step.beginMs.toFixed(1);
    const color = seriesClass(groupOf(step.label));
    return [
      label(LEFT - 10, y + 12, 'end', step.label),
      element('rect', { x: from, y: y + 2, width: Math.max(2, to - from), height: ROW - 7, class: color }),
      label(Math.max(from + 2, to) + 6, y + 12, 'quiet', length),
    ];
  });
  const heading = [label(16, 24, 'title', title), label(16, 44, 'quiet', caption)];
  return drawing({ width: WIDTH, height: bottom + 30, title, parts: [...heading, ...ticks, ...bars] });
}

// One color each for the API, the kernel, the delegate and podwire itself.
function groupOf(stepLabel: string): number {
  const index = ['cluster', 'kernel', 'delegate'].findIndex((name) => stepLabel.startsWith(name));
  return index < 0 ? 3 : index;
}
