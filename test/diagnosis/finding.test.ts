import { expect, it } from 'vitest';
import { found, passed, skipped } from '../../src/diagnosis/finding.ts';

it('a passed check has a summary only', () =>
  expect(passed('PW101', 'fine')).toEqual({ number: 'PW101', outcome: 'ok', summary: 'fine', evidence: [], fix: [] }));

it('a skipped check says why', () =>
  expect(skipped('PW101', 'no socket')).toMatchObject({ outcome: 'skipped', summary: 'no socket' }));

it('evidence that is not known is left out', () =>
  expect(
    found('PW401', 'failed', 'It is refused.', {
      evidence: [
        ['file', '/a'],
        ['account', undefined],
      ],
    }),
  ).toMatchObject({ outcome: 'failed', evidence: [['file', '/a']], fix: [] }));
