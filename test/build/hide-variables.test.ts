import { expect, it } from 'vitest';
import { hideVariables } from '../../build/hide-variables.ts';

const NODE = 'NODE_REPL_EXTERNAL_MODULE\0if (process.env.NODE_CHANNEL_FD) {}';

it('each variable has another name of the same length wherever it occurs', () => {
  const node = Buffer.from(`${NODE}${NODE}`);
  const hidden = hideVariables(node).toString();
  expect(hidden).toHaveLength(node.length);
  expect(hidden).toContain('if (process.env.podwire_ignored) {}');
  expect(hidden).not.toMatch(/NODE_/);
});

it('a Node that does not know one of them is an error', () => {
  expect(() => hideVariables(Buffer.from('NODE_CHANNEL_FD'))).toThrow('does not contain NODE_REPL_EXTERNAL_MODULE');
});
