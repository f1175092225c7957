import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hideVariables } from '../../build/hide-variables.ts';

const node = readFileSync(process.execPath);

it('a Node with hidden variables has the same size, and each of the names is another of the same length', () => {
  const hidden = hideVariables(node);
  expect(hidden).toHaveLength(node.length);
  const [at, source] = [node.indexOf('process.env.NODE_CHANNEL_FD'), 'process.env.podwire_ignored'];
  expect(hidden.toString('latin1', at, at + source.length)).toBe(source);
  for (const name of ['NODE_CHANNEL_FD', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE']) {
    expect([node.includes(name), hidden.includes(name)]).toEqual([true, false]);
  }
});

it('a Node that does not know one of them is an error', () => {
  expect(() => hideVariables(Buffer.from('NODE_CHANNEL_FD'))).toThrow('does not contain NODE_COMPILE_CACHE');
});
