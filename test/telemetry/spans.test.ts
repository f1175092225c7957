import { expect, it } from 'vitest';
import { openSpanRecorder } from '../../src/telemetry/spans.ts';

function recorder() {
  const time = { ms: 0 };
  let count = 0;
  return {
    time,
    spans: openSpanRecorder(
      () => time.ms,
      () => `id-${++count}`,
    ),
  };
}

it('spans are in the order of their begin', () => {
  const { time, spans } = recorder();
  const root = spans.begin({ name: 'root', parentId: undefined, beginMs: 0 });
  const part = spans.begin({ name: 'part', parentId: root.id, attributes: { a: 1 } });
  time.ms = 5;
  part.end({ error: 'it failed', attributes: { b: 2 } });
  time.ms = 9;
  root.end();
  expect(spans.finish()).toMatchObject([
    { name: 'root', id: 'id-1', beginMs: 0, endMs: 9, error: undefined },
    { name: 'part', parentId: 'id-1', endMs: 5, error: 'it failed', attributes: { a: 1, b: 2 }, kind: 'internal' },
  ]);
});

it('a span that is still open ends with the command, and none ends twice', () => {
  const { time, spans } = recorder();
  const one = spans.begin({ name: 'one', parentId: undefined });
  one.end();
  spans.begin({ name: 'two', parentId: undefined });
  time.ms = 7;
  one.end({ error: 'late' });
  expect(spans.finish()).toMatchObject([
    { name: 'one', endMs: 0, error: undefined },
    { name: 'two', endMs: 7 },
  ]);
});
