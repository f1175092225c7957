import { expect, it } from 'vitest';
import { readTraces } from '../../src/cli/read-trace.ts';

const span = (traceId: string, name: string, startTimeUnixNano: string, more: object = {}) => ({
  traceId,
  spanId: `${name}-id`,
  name,
  startTimeUnixNano,
  endTimeUnixNano: '9000000',
  ...more,
});
const line = (...spans: readonly object[]) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

it('spans of one trace are together, whatever lines they are in', () => {
  const text = `${line(span('a', 'two', '2'))}\n${line(span('b', 'other', '3'), span('a', 'one', '1'))}\n`;
  expect(readTraces(text).map(({ traceId, spans }) => [traceId, spans.map(({ name }) => name)])).toEqual([
    ['a', ['one', 'two']],
    ['b', ['other']],
  ]);
});

it('a span has its attributes, and the reason of its failure', () => {
  const attributes = [
    { key: 'cni.code', value: { intValue: 11 } },
    { key: 'x', value: { stringValue: 'y' } },
  ];
  const [trace] = readTraces(line(span('a', 'one', '1', { attributes, status: { code: 2, message: 'no' } })));
  expect(trace?.spans[0]).toMatchObject({ error: 'no', beginNs: 1n, endNs: 9_000_000n, parentId: '' });
  expect(trace?.spans[0]?.attributes).toEqual(
    new Map([
      ['cni.code', '11'],
      ['x', 'y'],
    ]),
  );
});

it.each(['', '{', '{"resourceSpans": 5}', '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}', 'null'])(
  'what is not OTLP has no traces: %s',
  (text) => expect(readTraces(text)).toEqual([]),
);
