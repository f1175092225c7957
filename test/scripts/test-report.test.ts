import { expect, it } from 'vitest';
import { parseTestReport } from '../../scripts/test-report.ts';

type Skipped = Parameters<typeof parseTestReport>[2];

const counts = (
  why: string,
  report: object | string,
  exitCode: number,
  tally: { readonly passed: number; readonly failed: number },
  skippedTests: Skipped = 'failed',
) =>
  it(why, () => {
    const json = typeof report === 'string' ? report : JSON.stringify(report);
    expect(parseTestReport(json, exitCode, skippedTests)).toEqual(tally);
  });

counts('tests that passed are counted', { numPassedTests: 3, numFailedTests: 0 }, 0, { passed: 3, failed: 0 });
counts('tests that failed are counted', { numPassedTests: 3, numFailedTests: 2 }, 1, { passed: 3, failed: 2 });
counts('a file that does not load is a failure beside the tests that pass', { numPassedTests: 3 }, 1, {
  passed: 3,
  failed: 1,
});
counts('a skipped test counts as failed', { numPassedTests: 3, numPendingTests: 1 }, 0, { passed: 3, failed: 1 });
counts('an unwritten test counts as failed', { numPassedTests: 3, numTodoTests: 1 }, 0, { passed: 3, failed: 1 });
counts(
  'with a filter, a skipped test does not count',
  { numPassedTests: 3, numPendingTests: 9 },
  0,
  { passed: 3, failed: 0 },
  'expected',
);
counts(
  'with a filter that matches no test, the run fails',
  { numPassedTests: 0, numPendingTests: 9 },
  0,
  { passed: 0, failed: 1 },
  'expected',
);
counts('a run without any test fails', { numPassedTests: 0 }, 0, { passed: 0, failed: 1 });
counts('a run without a report fails', '', 1, { passed: 0, failed: 1 });
counts('a run with a truncated report fails', '{"numPassedTests":', 0, { passed: 0, failed: 1 });
