import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appendTrace } from '../../src/telemetry/trace-file.ts';
import { makeFolder } from '../log/make-folder.ts';

const NOW = new Date('2026-11-22T05:45:59.123Z');

it('lines are appended to a file (0600) in a folder (0700)', () => {
  using folder = makeFolder();
  const path = join(folder.path, 'traces/spans.jsonl');
  appendTrace(path, '{}\n', NOW);
  appendTrace(path, '{}\n', NOW);
  expect(readFileSync(path, 'utf8')).toBe('{}\n{}\n');
  expect([statSync(path).mode & 0o777, statSync(join(folder.path, 'traces')).mode & 0o777]).toEqual([0o600, 0o700]);
});

it('a folder that other users can write to is refused, and so are links', () => {
  using folder = makeFolder();
  mkdirSync(join(folder.path, 'open'));
  chmodSync(join(folder.path, 'open'), 0o777);
  expect(() => appendTrace(join(folder.path, 'open/a.jsonl'), '{}\n', NOW)).toThrow(/open: choose a folder/);
  expect(readdirSync(join(folder.path, 'open'))).toEqual([]);
  symlinkSync('/dev/null', join(folder.path, 'link.jsonl'));
  expect(() => appendTrace(join(folder.path, 'link.jsonl'), '{}\n', NOW)).toThrow(/ELOOP/);
  expect(() => appendTrace('/tmp/podwire-trace.jsonl', '{}\n', NOW)).toThrow('/tmp: choose a folder');
});

it('a full file is renamed', () => {
  using folder = makeFolder();
  const path = join(folder.path, 'a.jsonl');
  for (let count = 0; count < 3; count++)
    appendTrace(path, `${'x'.repeat(6_000_000)}\n`, new Date(NOW.getTime() + count));
  expect(readdirSync(folder.path)).toHaveLength(3);
});
