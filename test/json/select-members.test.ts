import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonValue } from '../../src/json/json.ts';
import { selectMembers, type Selection } from '../../src/json/select-members.ts';

/** The same on parsed values, where it is simple. */
function select(value: JsonValue, selection: true | Selection): JsonValue {
  if (selection === true || !isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => {
      const inner = Object.hasOwn(selection, name) ? selection[name] : undefined;
      return inner === undefined ? [] : [[name, select(member, inner)]];
    }),
  );
}

const NAMES = ['a', 'b', 'metadata', 'with"quote', 'with\\backslash', ''];
const names = fc.oneof(fc.constantFrom(...NAMES), fc.string());
const { value: json } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\\', '\\"', '}{', '"]', '\\\\"'),
    fc.array(tie('value')),
    fc.dictionary(names, tie('value'), { noNullPrototype: true }),
  ),
}));
const { value: selections } = fc.letrec<{ value: Selection }>((tie) => ({
  value: fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(fc.constant(true as const), tie('value')), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
}));

describe('selected members', () => {
  it('are those that the selection names, whatever the JSON is', () => {
    fc.assert(
      fc.property(json, selections, fc.constantFrom(undefined, 1, '\t'), (value, selection, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(JSON.parse(selectMembers(text, selection))).toEqual(select(value, selection));
      }),
      { numRuns: 2000 },
    );
  });

  it('of any text take no longer than the text is long', () => {
    const texts = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', ' ') });
    fc.assert(
      fc.property(texts, (text) => {
        expect(selectMembers(text, { a: { a: true }, '': true })).toEqual(expect.any(String));
      }),
    );
  });

  it('of a text of 16 MiB with nothing but backslashes and quotes are found', () => {
    const text = `{"b":"${'\\\\\\"'.repeat(4 * 1024 * 1024)}","a":1}`;
    expect(selectMembers(text, { a: true })).toBe('{"a":1}');
  });
});
