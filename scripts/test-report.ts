export interface Tally {
  passed: number;
  failed: number;
}

/**
 * Counts the tests in a report of vitest's json reporter. A failure that belongs to no test (a file that does not load, an
 * unhandled error, no test found, no report at all) counts as one. A skipped or unwritten test counts as failed, so a run with
 * exit code 0 and no failure ran everything, unless a filter makes skipped tests expected.
 */
export function parseTestReport(json: string, exitCode: number, skippedTests: 'failed' | 'expected'): Tally {
  const report = parseObject(json);
  const passed = numberIn(report, 'numPassedTests');
  const skipped = numberIn(report, 'numPendingTests') + numberIn(report, 'numTodoTests');
  const failed = numberIn(report, 'numFailedTests') + (skippedTests === 'failed' ? skipped : 0);
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}

function parseObject(json: string): object {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function numberIn(report: object, key: string): number {
  const value: unknown = Reflect.get(report, key);
  return typeof value === 'number' ? value : 0;
}
