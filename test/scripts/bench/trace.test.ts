import { describe, expect, it } from 'vitest';
import { parseContestant } from '../../../scripts/bench/prepared-programs.ts';
import { medianTrace, parseTrace } from '../../../scripts/bench/trace.ts';
import { drawWaterfall, formatWaterfall } from '../../../scripts/bench/waterfall.ts';

describe('a trace', () => {
  const reads = (why: string, stderr: string, expected: readonly (readonly [string, number, number])[]) =>
    it(why, () => {
      const steps = parseTrace(stderr).map(({ label, beginMs, endMs }) => [label, beginMs, endMs]);
      expect(steps).toEqual(expected);
    });

  reads('a moment has no length', 'trace 12.345 request parsed\n', [['request parsed', 12.345, 12.345]]);
  reads('begin and end are one step', 'trace 1 begin a\ntrace 3.5 end a\n', [['a', 1, 3.5]]);
  reads('steps can overlap', 'trace 1 begin a\ntrace 2 begin b\ntrace 3 end a\ntrace 4 end b\n', [
    ['a', 1, 3],
    ['b', 2, 4],
  ]);
  reads(
    'two steps of one name end in the order in which they began',
    'trace 1 begin a\ntrace 2 begin a\ntrace 3 end a\ntrace 4 end a\n',
    [
      ['a', 1, 3],
      ['a', 2, 4],
    ],
  );
  reads('an end without a begin is ignored', 'trace 1 end a\n', []);
  reads('a step that never ends is ignored', 'trace 1 begin a\n', []);
  reads('lines of the log are ignored', '2026-01-01T00:00:00Z WARN trace 1 of all\ntrace x y\n', []);
});

describe('the typical run', () => {
  const run = (begin: number, end: number) => parseTrace(`trace ${begin} begin a\ntrace ${end} end a\n`);

  it('has the median of begins and of lengths', () =>
    expect(medianTrace([run(1, 2), run(10, 20), run(3, 7)])).toEqual([{ label: 'a', beginMs: 3, endMs: 7 }]));
  it('omits a step that few runs have', () => expect(medianTrace([run(1, 2), [], []])).toEqual([]));
  it('keeps two steps of one name separate', () => {
    const twice = [...run(1, 2), ...run(5, 6)];
    expect(medianTrace([twice, twice]).map(({ beginMs }) => beginMs)).toEqual([1, 5]);
  });
});

describe('a waterfall', () => {
  const steps = [
    { label: 'parsed <&>', beginMs: 20, endMs: 20 },
    { label: 'kernel.apply', beginMs: 20, endMs: 50 },
  ];
  const waterfall = { title: 'ADD', caption: 'here', steps, wallMs: 100 };

  it('shows as text when a step begins and how long it takes', () =>
    expect(formatWaterfall(waterfall).split('\n')[2]).toBe(
      `   20.0  kernel.apply  ${' '.repeat(12)}${'#'.repeat(18)} 30.0`,
    ));
  it('ends with the end of the process', () =>
    expect(formatWaterfall(waterfall)).toMatch(/100\.0 {2}process ended .*\|$/));
  it('escapes the name of a step', () => expect(drawWaterfall(waterfall)).toContain('parsed &lt;&amp;&gt;'));
});

describe('--also is NAME=PATH', () => {
  it('with a path relative to the current folder', () =>
    expect(parseContestant('a=b').path).toBe(`${process.cwd()}/b`));
  const rejects = (text: string) => it(`rejects ${text}`, () => expect(() => parseContestant(text)).toThrow('--also'));
  rejects('a');
  rejects('a=');
  rejects('../a=b');
  rejects('ptp=b');
});
