import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeControls, formatLine, type Outcome } from '../../src/log/log-line.ts';

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

describe('a line about the end of a command', () => {
  const describes = (why: string, outcome: Outcome, expected: string) =>
    it(why, () =>
      expect(formatLine(new Date(0), 'error', 'a failed (E1)', {}, outcome)).toContain(`ERROR ${expected}\n`),
    );
  describes('has the code', { code: 7 }, 'a failed (E1) [code 7]');
  describes('has the number of the finding', { code: 7, finding: 'PW102' }, 'a failed (E1) [PW102, code 7]');
  describes(
    'has details and a cause that are new',
    { code: 7, details: 'b', cause: 'c d' },
    'a failed (E1) (b) [code 7]; cause: c d',
  );
  describes('says nothing twice', { code: 7, details: 'E1', cause: 'a failed' }, 'a failed (E1) [code 7]');
});
