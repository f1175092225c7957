import { describe, expect, it } from 'vitest';
import { drawComparison } from '../../../scripts/bench/comparison-chart.ts';
import { aloneTable, formatComparisonPage, togetherTable } from '../../../scripts/bench/comparison-report.ts';
import { type Series, sumOf } from '../../../scripts/bench/comparison.ts';
import { formatMarkdownTable, formatTextTable } from '../../../scripts/command-line/text-table.ts';

const series = (name: string, verb: Series['verb'], wallMs: number): Series => ({
  name,
  verb,
  alone: [{ exitStatus: 0, wallMs, cpuMs: wallMs / 2 }],
  together: [{ wallMs: wallMs * 10, cpuMs: wallMs * 5 }],
  peakKb: 51_200,
  apiRequests: 3,
});
const CHECK = { ...series('podwire', 'CHECK', 20), together: [] };
const SERIES = [series('ptp', 'ADD', 10), series('podwire', 'DEL', 30), series('podwire', 'ADD', 45), CHECK];

describe('the table for one at a time', () => {
  const { rows } = aloneTable(SERIES, 'ptp');

  it('shows the ratio of each plugin to the reference', () =>
    expect(rows[1]).toEqual(['ADD', 'podwire', '45.0 ms', '45.0', '45.0', '4.50x', '22.5 ms', '4.50x', '50 MB', '3']));
  it('compares CHECK with the ADD of the reference', () => expect(rows[2]?.slice(0, 6)).toContain('2.00x'));
  it('has no ratio where the reference was not measured', () => expect(rows[3]?.[5]).toBe('-'));
  it('lists ADD, CHECK and DEL in this order', () =>
    expect(rows.map(([verb]) => verb)).toEqual(['ADD', 'ADD', 'CHECK', 'DEL']));
});

it('the table for many at once compares the medians of the rounds', () =>
  expect(togetherTable(SERIES, 'ptp').rows[1]).toEqual(['ADD', 'podwire', '450 ms', '4.50x', '225 ms', '4.50x']));

it('the table for many at once omits commands that are not run many at once', () =>
  expect(togetherTable(SERIES, 'ptp').rows.map(([verb]) => verb)).toEqual(['ADD', 'ADD', 'DEL']));

it('many at once have the wall time of the longest, and the sum of CPU times', () => {
  const costs = [
    { exitStatus: 0, wallMs: 5, cpuMs: 2 },
    { exitStatus: 0, wallMs: 9, cpuMs: 3 },
  ];
  expect(sumOf(costs)).toEqual({ wallMs: 9, cpuMs: 5 });
});

describe('a table', () => {
  const table = {
    head: ['plugin', 'p50'],
    rows: [
      ['a|b', '9.5 ms'],
      ['longer name', '123 ms'],
    ],
  };

  it('aligns numbers to the right for a terminal', () =>
    expect(formatTextTable(table)).toBe('plugin          p50\na|b          9.5 ms\nlonger name  123 ms'));
  it('aligns addresses to the left', () =>
    expect(formatTextTable({ head: ['ADDRESS', 'MTU'], rows: [['10.0.0.1', '1500']] })).toBe(
      'ADDRESS    MTU\n10.0.0.1  1500',
    ));
  it('escapes the character that ends a cell of Markdown', () =>
    expect(formatMarkdownTable(table)).toContain('| a\\|b '));
  it('tells Markdown which columns are numbers', () =>
    expect(formatMarkdownTable(table).split('\n')[1]).toBe('| ----------- | -----: |'));
});

it('the name of a plugin cannot break the drawing', () => {
  const svg = drawComparison([series('<&>', 'ADD', 10)], 'nowhere');
  expect(svg).toContain('&lt;&amp;&gt;');
  expect(svg).not.toContain('<&>');
});

it('the page describes the machine', () => {
  const conditions = { machine: '2 cores', rounds: 60, togetherCount: 50, togetherRounds: 3 };
  expect(formatComparisonPage(SERIES, 'ptp', conditions)).toContain('`npm run bench`. 2 cores.');
});
