import { expect, it } from 'vitest';
import { parseTestReport } from '../../scripts/test-report.ts';

const counts = (why: string, report: object | string, exitCode: number, passed: number, failed: number) =>
  it(why, () => {
    const json = typeof report === 'string' ? report : JSON.stringify(report);
    expect(parseTestReport(json, exitCode)).toEqual({ passed, failed });
  });

counts('tests that passed', { numPassedTests: 3, numFailedTests: 0 }, 0, 3, 0);
counts('tests that failed', { numPassedTests: 3, numFailedTests: 2 }, 1, 3, 2);
counts('a file that does not load, beside tests that pass', { numPassedTests: 3, numFailedTests: 0 }, 1, 3, 1);
counts('a test that was skipped is no pass', { numPassedTests: 3, numPendingTests: 1 }, 0, 3, 1);
counts('a test that is left to do is no pass', { numPassedTests: 3, numTodoTests: 1 }, 0, 3, 1);
counts('no test at all is a failure', { numPassedTests: 0 }, 0, 0, 1);
counts('no report is a failure', '', 1, 0, 1);
counts('a report cut short is a failure', '{"numPassedTests":', 0, 0, 1);
