import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeControls, formatLine } from '../../src/log/log-line.ts';

const format = (message: string) => formatLine(new Date(0), 'info', message, { pod: 'a/b', uid: undefined });

describe('a line', () => {
  const escapes = (why: string, text: string, expected: string) =>
    it(why, () => expect(escapeControls(text)).toBe(expected));
  escapes('a line break', 'a\nb', 'a\\u000ab');
  escapes('a terminal escape', '\x1b[2J', '\\u001b[2J');
  escapes('a C1 control', '\u009b2J', '\\u009b2J');
  escapes('an override of direction', '\u202eabc', '\\u202eabc');
  escapes('a line separator', '\u2028', '\\u2028');
  escapes('half a pair', '\ud800', '\\ud800');
  escapes('no letter of any script', 'Grüße 日本 🙂', 'Grüße 日本 🙂');

  const masks = (why: string, text: string) =>
    it(`masks ${why}`, () => expect(format(text)).not.toContain('c2lnbmF0dXJl'));
  masks('a JWT', 'token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl!');
  masks('a bearer token', 'Authorization: Bearer c2lnbmF0dXJl');

  it('leaves out undefined values', () => expect(format('x')).toBe('1970-01-01T00:00:00.000Z INFO x pod=a/b\n'));
  it('truncates a message of 10 MB', () => expect(format('x'.repeat(1e7)).length).toBeLessThan(10_000));
  it('is one line, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(format(text)).toMatch(/^[^\n\r\u2028\u2029]*\n$/);
      }),
    );
  });
});
