import { expect, it } from 'vitest';
import { closestWord } from '../../src/cli/closest-word.ts';

const WORDS = ['workloadendpoints', 'leases', 'podcidrs', 'attachments', 'yaml', 'name'];

it.each([
  ['leasse', 'leases'],
  ['laeses', 'leases'],
  ['podcidr', 'podcidrs'],
  ['YML', 'yaml'],
  ['attachmentss', 'attachments'],
  ['pods', undefined],
  ['xml', undefined],
  ['', undefined],
])('%j is most similar to %j', (typed, word) => expect(closestWord(typed, WORDS)).toBe(word));
