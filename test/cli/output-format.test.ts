import { expect, it } from 'vitest';
import { formatOutput, OUTPUT_FORMATS } from '../../src/cli/output-format.ts';

const FORMATS = {
  value: () => ({ items: [{ name: 'a' }] }),
  table: () => 'NAME\na\n',
  wide: () => 'NAME AGE\na 1\n',
  names: () => ['thing/a', 'thing/b'],
};

it.each([
  ['table', 'NAME\na\n'],
  ['wide', 'NAME AGE\na 1\n'],
  ['json', '{\n  "items": [\n    {\n      "name": "a"\n    }\n  ]\n}\n'],
  ['yaml', 'items:\n  - name: a\n'],
  ['name', 'thing/a\nthing/b\n'],
] as const)('%s', async (format, expected) => expect(await formatOutput(format, FORMATS)).toBe(expected));

it('there are no other formats', () => expect(OUTPUT_FORMATS).toHaveLength(5));
