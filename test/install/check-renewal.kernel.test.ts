import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkRenewal } from '../../src/install/check-renewal.ts';
import { RENEWAL_RECORD_PATH, writeRenewalRecord } from '../../src/install/renewal-record.ts';
import { monotonicMs } from '../../src/system/monotonic-clock.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

it('the status of a probe is that of the record, and a failure is printed', () => {
  assertPrivateNamespace();
  const printed: string[] = [];
  const check = () => checkRenewal(60, (text) => void printed.push(text));
  writeRenewalRecord({ succeededAtMs: monotonicMs(), failure: undefined });
  expect([check(), printed]).toEqual([0, []]);
  writeRenewalRecord({ succeededAtMs: monotonicMs() - 61_000, failure: 'forbidden' });
  expect(check()).toBe(1);
  expect(printed).toEqual([expect.stringMatching(/tested for 6\d s: forbidden\n$/)]);
  rmSync(RENEWAL_RECORD_PATH);
});
