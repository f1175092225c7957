import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/log/log-line.ts';
import { jsonLines } from '../../src/telemetry/json-line.ts';

const CONTEXT = { command: 'ADD', container: '0a1b', interface: 'eth0', pod: 'default/web' };
const format = jsonLines({ network: 'pods', traceId: 'abc', durationSeconds: () => 0.0461234567 });
const parse = (message: string, outcome?: Outcome): unknown =>
  JSON.parse(format(new Date(0), 'error', message, CONTEXT, outcome));

describe('a line of JSON', () => {
  it('has these fields', () =>
    expect(parse('it failed', { code: 11, finding: 'PW201', details: 'more', cause: 'why' })).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'error',
      command: 'ADD',
      container: '0a1b',
      pod: 'default/web',
      interface: 'eth0',
      network: 'pods',
      duration: 0.046123,
      code: 11,
      finding: 'PW201',
      message: 'it failed',
      details: 'more',
      cause: 'why',
      trace_id: 'abc',
    }));
  it('leaves out what it does not know, and what the message says already', () => {
    const line = parse('it failed (E1)', { code: 11, details: 'E1', cause: 'it failed' });
    expect(line).not.toHaveProperty('details');
    expect(line).not.toHaveProperty('cause');
    expect(line).not.toHaveProperty('finding');
  });
  it('masks what looks like a token', () =>
    expect(format(new Date(0), 'info', 'Bearer c2lnbmF0dXJl', {})).not.toContain('c2lnbmF0dXJl'));
  it('truncates a message of 10 MB', () =>
    expect(format(new Date(0), 'info', 'x'.repeat(1e7), {}).length).toBeLessThan(10_000));
  it('is one line that means the message, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (message) => {
        const line = format(new Date(0), 'info', message, {});
        expect(line).toMatch(/^[^\n\r\u2028\u2029]*\n$/);
        expect(JSON.parse(line)).toMatchObject({ message });
      }),
    );
  });
});
