import { expect, it } from 'vitest';
import { drawTerminal } from '../../../scripts/commands/terminal-picture.ts';

it('draws the command and each line, with its colors', () => {
  const svg = drawTerminal('podwire doctor', 'a <b> & c\r\n\u001B[31mFAIL\u001B[39m  x\n');
  expect(svg).toContain('<title>podwire doctor</title>');
  expect(svg).toContain('>a &lt;b&gt; &amp; c</text>');
  expect(svg).toContain('<tspan fill="#f47067">FAIL</tspan>  x</text>');
  expect(svg).not.toContain('\u001B');
  expect(svg.match(/<text /g)).toHaveLength(3);
});
