export interface Tally {
  passed: number;
  failed: number;
}

/**
 * Counts the tests in a report of vitest's json reporter. A failure that belongs to no test (a file that does not load, an
 * unhandled error, no test found, no report at all) counts as one, as do tests that were skipped or left to do: a run with
 * exit code 0 and nothing failed is one in which everything ran.
 */
export function parseTestReport(json: string, exitCode: number): Tally {
  const report = parseObject(json);
  const passed = numberIn(report, 'numPassedTests');
  const skipped = numberIn(report, 'numPendingTests') + numberIn(report, 'numTodoTests');
  const failed = numberIn(report, 'numFailedTests') + skipped;
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
