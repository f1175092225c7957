import { makeAxis, type Axis } from '../../src/drawing/axis.ts';
import type { Series } from './comparison.ts';
import { formatMs, percentile, spreadOf } from './statistics.ts';
import { drawing, element, label, seriesClass } from '../../src/drawing/svg.ts';

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 60;
const ROW = 34;
const TOP = 64;

/**
 * Draws a bar for each plugin and command: the median wall time, with lines to the 90th and 99th percentile. A thin bar
 * below it is the median CPU time.
 */
export function drawComparison(series: readonly Series[], caption: string): string {
  const names = [...new Set(series.map(({ name }) => name))];
  const maxMs = Math.max(...series.map(({ alone }) => percentile(wallTimes(alone), 99)));
  const axis = makeAxis(maxMs, LEFT, WIDTH - RIGHT);
  const verbs = [...new Set(series.map(({ verb }) => verb))];
  const groups: string[] = [];
  let bottom = TOP;
  for (const verb of verbs) {
    const top = bottom;
    const rows = series.filter((one) => one.verb === verb);
    bottom += rows.length * ROW + 26;
    groups.push(
      label(16, top + 14, 'title', verb),
      ...rows.flatMap((one, row) => drawRow(one, names.indexOf(one.name), axis, top + 22 + row * ROW)),
    );
  }
  const height = bottom + 40;
  const title = 'ADD, CHECK, STATUS and DEL: wall time (p50, p90, p99) and CPU, in milliseconds';
  const parts = [
    label(16, 24, 'title', title),
    label(16, 44, 'quiet', caption),
    ...drawAxis(axis, TOP, bottom),
    ...groups,
  ];
  return drawing({ width: WIDTH, height, title, parts });
}

/** Draws a line for each tick, and its number below. */
function drawAxis(axis: Axis, top: number, bottom: number): readonly string[] {
  return axis.ticks.flatMap((tick) => {
    const x = axis.at(tick);
    return [
      element('line', { x1: x, x2: x, y1: top, y2: bottom, class: 'axis' }),
      label(x, bottom + 18, 'quiet middle', String(tick)),
    ];
  });
}

function drawRow({ name, alone }: Series, index: number, axis: Axis, y: number): readonly string[] {
  const { p50, p90, p99 } = spreadOf(wallTimes(alone));
  const cpuMs = percentile(
    alone.map((cost) => cost.cpuMs),
    50,
  );
  const color = seriesClass(index);
  const start = axis.at(0);
  const whisker = (to: number, className: string) =>
    element('line', { x1: axis.at(p50), x2: axis.at(to), y1: y + 8, y2: y + 8, class: `${color} ${className}` });
  return [
    label(LEFT - 10, y + 13, 'end', name),
    element('rect', { x: start, y, width: axis.at(p50) - start, height: 16, class: color }),
    whisker(p90, 'thin'),
    whisker(p99, 'thin faint'),
    element('rect', { x: start, y: y + 18, width: axis.at(cpuMs) - start, height: 5, class: `${color} faint` }),
    label(axis.at(p99) + 6, y + 12, '', formatMs(p50)),
  ];
}

function wallTimes(costs: Series['alone']): readonly number[] {
  return costs.map(({ wallMs }) => wallMs);
}
