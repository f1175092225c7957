import { readFileSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStatusCache } from '../../src/cluster/status-cache.ts';
import { makeFolder } from '../log/make-folder.ts';

const ANSWER = {
  failure: 'the API server has no node n1',
  finding: 'PW302',
  isReachable: true,
  connectionId: 'abc',
} as const;
const MINUTE_MS = 60_000;

describe('the memo', () => {
  it('is read by the next command of the same network, and by no other', () => {
    using folder = makeFolder();
    openStatusCache('net', folder.path).write(ANSWER);
    expect(openStatusCache('net', folder.path).read()).toEqual(ANSWER);
    expect(openStatusCache('other', folder.path).read()).toBeUndefined();
  });

  it('keeps a success, too', () => {
    using folder = makeFolder();
    const memo = openStatusCache('net', folder.path);
    const success = { ...ANSWER, failure: undefined, finding: undefined };
    memo.write(success);
    expect(memo.read()).toEqual(success);
  });

  it('is not an error where it cannot be written', () => {
    const memo = openStatusCache('net', '/dev/null');
    memo.write(ANSWER);
    expect(memo.read()).toBeUndefined();
  });

  const none = (what: string, text: string) =>
    it(`is absent if it is ${what}`, () => {
      using folder = makeFolder();
      writeFileSync(join(folder.path, 'net.status.json'), text);
      expect(openStatusCache('net', folder.path).read()).toBeUndefined();
    });
  const nowMs = Math.round(uptime() * 1000);
  none('empty', '');
  none('half', '{"atMs":12');
  none('a list', '[]');
  none('without an age', '{"isReachable":true}');
  none('with an age that is text', `{"atMs":"${nowMs}","isReachable":true}`);
  none('a minute old', JSON.stringify({ atMs: nowMs - MINUTE_MS, isReachable: true }));
  none('a failure of a few seconds ago', JSON.stringify({ ...ANSWER, atMs: nowMs - 3000 }));
  none('from after now: another boot’s', JSON.stringify({ atMs: nowMs + MINUTE_MS, isReachable: true }));

  it('contains only the result, its time and its cause', () => {
    using folder = makeFolder();
    openStatusCache('net', folder.path).write(ANSWER);
    const text = readFileSync(join(folder.path, 'net.status.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({ atMs: expect.any(Number), ...ANSWER });
  });
});
