// cspell:ignore typchek unot
import { expect, it } from 'vitest';
import { closestName } from '../../scripts/test/closest-name.ts';

const finds = (why: string, word: string, name: string) =>
  it(why, () => expect(closestName(word, ['typecheck', 'lint', 'unit', 'end-to-end'])).toBe(name));

finds('a missing letter', 'typchek', 'typecheck');
finds('an additional letter', 'lints', 'lint');
finds('another letter', 'unot', 'unit');
finds('the name itself', 'end-to-end', 'end-to-end');
