import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { observeFailures, readEnd, readLogAbout } from '../../../src/cli/observe/observe-failures.ts';
import { formatLine } from '../../../src/log/log-line.ts';
import { jsonLines } from '../../../src/telemetry/json-line.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'podwire-log-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const TIME = new Date(Date.UTC(2026, 10, 28));
const CONTEXT = { command: 'ADD', container: 'c1', interface: 'eth0', pod: 'default/web' };

it('reads failed commands with their number, as the log writes them', () => {
  const path = join(folder, 'cni.log');
  const lines = [
    formatLine(TIME, 'info', 'fine', CONTEXT),
    formatLine(TIME, 'error', 'the token was refused (401 https://a) [PW401, code 100]; cause: x', CONTEXT),
    formatLine(TIME, 'error', 'broken [code 999]', { ...CONTEXT, pod: undefined }),
  ];
  writeFileSync(path, lines.join(''));
  expect(observeFailures(path)).toEqual({
    kind: 'seen',
    value: [
      {
        atMs: TIME.getTime(),
        command: 'ADD',
        containerId: 'c1',
        pod: 'default/web',
        message: 'the token was refused (401 https://a)',
        number: 'PW401',
      },
      { atMs: TIME.getTime(), command: 'ADD', containerId: 'c1', pod: '', message: 'broken', number: undefined },
    ],
  });
});

it('reads a log of JSON in the same way', () => {
  const path = join(folder, 'cni.log');
  const format = jsonLines({ network: 'pods', traceId: undefined, durationSeconds: () => 1 });
  const outcome = { code: 100, finding: 'PW401', details: 'more', cause: 'x' };
  writeFileSync(path, format(TIME, 'error', 'the token was refused', CONTEXT, outcome));
  expect(observeFailures(path)).toMatchObject({
    value: [{ command: 'ADD', pod: 'default/web', message: 'the token was refused (more)', number: 'PW401' }],
  });
  expect(readLogAbout('c1', path)).toMatchObject([
    { level: 'error', command: 'ADD', message: 'the token was refused (more) [PW401, code 100]; cause: x' },
  ]);
});

it('a log that does not exist has no failures, one that is not configured is not seen', () => {
  expect(observeFailures(join(folder, 'none'))).toEqual({ kind: 'seen', value: [] });
  expect(observeFailures(undefined)).toMatchObject({ kind: 'unseen' });
  expect(observeFailures(folder)).toMatchObject({ kind: 'unseen', why: expect.stringContaining('EISDIR') });
});

it('of a long file only whole lines of its end are read', () => {
  const path = join(folder, 'long');
  writeFileSync(path, `${'x'.repeat(99)}\n`.repeat(20_000));
  const text = readEnd(path);
  expect(text.length).toBeLessThanOrEqual(1024 * 1024);
  expect(text.split('\n')[0]).toHaveLength(99);
});
