import { describe, expect, it } from 'vitest';
import { drawing, element, escapeXml, label, seriesClass } from '../../src/drawing/svg.ts';

describe('SVG', () => {
  const escapes = (text: string, expected: string) =>
    it(JSON.stringify(text), () => expect(escapeXml(text)).toBe(expected));

  escapes('<script>', '&lt;script&gt;');
  escapes('a & b', 'a &amp; b');
  escapes(`"'`, '&quot;&#39;');
  escapes('bell \u0007 rings', 'bell  rings');

  it('attributes are escaped and rounded', () =>
    expect(element('a', { b: '"<', c: 1.26 })).toBe('<a b="&quot;&lt;" c="1.3"/>'));
  it('text is escaped', () => expect(label(1, 2, 'end', 'a<b')).toBe('<text x="1" y="2" class="end">a&lt;b</text>'));
  it('a drawing has a title', () =>
    expect(drawing({ width: 1, height: 1, title: 'A & B', parts: [] })).toContain('<title>A &amp; B</title>'));
});

it('the fifth series has the color of the first', () => expect(seriesClass(4)).toBe(seriesClass(0)));
