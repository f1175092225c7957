import { describe, expect, it } from 'vitest';
import {
  parseFields,
  parseFlag,
  parseList,
  parseOptionalFields,
  parseOptionalText,
  parseText,
  parseTextMap,
  ShapeError,
} from '../../src/cluster/fields.ts';

describe('a field', () => {
  const reads = (why: string, parsed: unknown, wanted: unknown) => it(why, () => expect(parsed).toEqual(wanted));
  reads('null is no list entry', parseList(null, 'x'), []);
  reads('null is an empty object', parseOptionalFields(null, 'x'), {});
  reads('null is no text', parseOptionalText(null, 'x'), undefined);
  reads('null is false', parseFlag(null, 'x'), false);
  reads('null is an empty map', parseTextMap(null, 'x'), {});
  reads('empty text in a map stays', parseTextMap({ a: '' }, 'x'), { a: '' });

  const refuses = (parse: () => unknown, message: string) =>
    it(message, () => expect(parse).toThrow(new ShapeError(message)));
  refuses(() => parseFields(undefined, 'a.b'), 'a.b is missing, an object is wanted');
  refuses(() => parseText('', 'a.b'), 'a.b is missing or empty, text is wanted');
  refuses(() => parseText(5, 'a.b'), 'a.b is a number, text is wanted');
  refuses(() => parseList('secret', 'a.b'), 'a.b is text, a list is wanted');
  refuses(() => parseFlag('secret', 'a.b'), 'a.b is text, true or false is wanted');
  refuses(() => parseTextMap({ k: {} }, 'a.b'), 'a.b["k"] is an object, text is wanted');
});
