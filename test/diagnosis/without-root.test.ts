import { expect, it } from 'vitest';
import { found, passed, skipped } from '../../src/diagnosis/finding.ts';
import { asOrdinaryUser, countNeedRoot } from '../../src/diagnosis/without-root.ts';

it('what needs root is skipped, with this reason; other findings are true', () => {
  const findings = asOrdinaryUser([
    found('PW102', 'failed', 'there is no configuration'),
    found('PW503', 'failed', 'forwarding is off'),
    passed('PW506', 'there is space'),
    skipped('PW101', 'EACCES'),
    skipped('PW801', 'no credentials'),
  ]);
  expect(findings.map(({ number, outcome, summary }) => `${number} ${outcome}: ${summary}`)).toEqual([
    'PW102 skipped: this check needs root',
    'PW503 failed: forwarding is off',
    'PW506 ok: there is space',
    'PW101 skipped: this check needs root',
    'PW801 skipped: no credentials',
  ]);
  expect(countNeedRoot(findings)).toBe(2);
});
