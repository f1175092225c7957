import { describe, expect, it } from 'vitest';
import { describeTrace, drawTrace, formatTrace } from '../../src/cli/draw-trace.ts';
import type { ReadSpan, ReadTrace } from '../../src/cli/read-trace.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const span = (
  id: string,
  parentId: string,
  [beginMs, endMs]: readonly [number, number],
  more: Partial<ReadSpan> = {},
) => ({
  traceId: 'abc',
  id,
  parentId,
  name: id,
  beginNs: BigInt(beginMs * 1e6),
  endNs: BigInt(endMs * 1e6),
  attributes: new Map<string, string>(),
  error: undefined,
  ...more,
});
const TRACE: ReadTrace = {
  traceId: 'abc',
  spans: [
    span('root', 'elsewhere', [0, 40], {
      name: 'podwire ADD',
      attributes: new Map([
        ['cni.command', 'ADD'],
        ['k8s.namespace.name', 'default'],
        ['k8s.pod.name', 'web'],
      ]),
    }),
    span('ipam ADD', 'root', [10, 30]),
    span('endpoint', 'root', [20, 40], { error: 'it was refused\u001b[2J' }),
  ],
};
const ASCII = openTerminal({ LANG: 'C' }, false, 60);

describe('a waterfall in the terminal', () => {
  it('has a bar for each span, below the one that it is part of', () =>
    expect(formatTrace(TRACE, ASCII).split('\n')).toEqual([
      'ADD of default/web, 40.0 ms',
      'trace abc; milliseconds',
      `podwire ADD ${'#'.repeat(39)}     40.0`,
      `  ipam ADD  ${' '.repeat(10)}${'#'.repeat(19)}${' '.repeat(10)}     20.0`,
      `  endpoint  ${' '.repeat(20)}${'#'.repeat(19)}     20.0`,
      'x endpoint: it was refused\\u001b[2J',
    ]));
  it('is drawn also for spans in a circle', () => {
    const circle = { traceId: 'a', spans: [span('a', 'b', [0, 1]), span('b', 'a', [0, 1])] };
    expect(formatTrace(circle, ASCII)).toContain('a, 1.0 ms');
  });
});

it('the title says with which code a command failed', () => {
  const attributes = new Map([
    ['cni.command', 'DEL'],
    ['cni.code', '11'],
  ]);
  expect(describeTrace({ traceId: 'a', spans: [span('x', '', [0, 2], { attributes })] })).toBe(
    'DEL, 2.0 ms, failed with code 11',
  );
});

it('the picture has the same spans', () => {
  const svg = drawTrace(TRACE);
  expect(svg.match(/<rect /g)).toHaveLength(3);
  expect(svg).toContain('<title>ADD of default/web, 40.0 ms</title>');
});
