import { describe, expect, it } from 'vitest';
import { formatReliability, parseReliability } from '../../../scripts/reliability/page.ts';

const test = (title: string, more: object = {}) => ({
  ancestorTitles: ['GC'],
  title,
  status: 'passed',
  meta: {},
  ...more,
});
const FIGURE = { fault: 'a | b', promise: 'nothing left', measured: '60 kills, 0 left' };
const REPORT = {
  testResults: [
    {
      name: '/repository/test/end-to-end/storm.test.ts',
      assertionResults: [test('at once (seed 17)', { ancestorTitles: [], meta: { reliability: FIGURE } })],
    },
    {
      name: '/repository/test/end-to-end/gc.test.ts',
      assertionResults: ['1', '2', '3', '4', '5', '6', '7', '8'].map((title) => test(title)),
    },
    { name: '/repository/test/end-to-end/versions.test.ts', assertionResults: [test('a feature')] },
  ],
};
const pages = (report: object) =>
  formatReliability(parseReliability(JSON.stringify(report), (path) => path.replace('/repository/', '')));
const page = (report: object) => pages(report)['reliability.md'];
const list = (report: object) => pages(report)['reliability-tests.md'];

describe('the page about reliability', () => {
  it('has a row for each figure, with its test', () =>
    expect(page(REPORT)).toContain(
      '| a \\| b | nothing left | 60 kills, 0 left | [end-to-end/storm](../test/end-to-end/storm.test.ts) |\n',
    ));

  it('has one row for faults of one promise, with the longest of their times', () => {
    const took = (fault: string, measured: string) =>
      test(fault, { meta: { reliability: { fault, promise: 'ends', measured } } });
    const tests = [took('a', '0.1 s'), took('b', '2.1 s'), took('c', '0.2 s')];
    expect(page({ testResults: [{ name: 'test/end-to-end/faults/api.test.ts', assertionResults: tests }] })).toContain(
      '| a; b; c | ends | 3 faults, at most 2.1 s |',
    );
  });

  it('counts the tests of a claim, and shows the first of them', () =>
    expect(list(REPORT)).toContain('- GC (8)\n  - 1\n  - 2\n  - 3\n  - 4\n  - 5\n  - 6\n  - and 2 more\n'));

  it('omits features', () => expect(list(REPORT)).not.toContain('a feature'));

  it('is the same for another seed, and for files in another order', () => {
    const other = JSON.stringify({ testResults: REPORT.testResults.toReversed() }).replace('seed 17', 'seed 18');
    expect(formatReliability(parseReliability(other, (path) => path.replace('/repository/', '')))).toEqual(
      pages(REPORT),
    );
  });

  it('is not written if a test has failed', () => {
    const failed = { testResults: [{ name: 'a.test.ts', assertionResults: [test('1', { status: 'failed' })] }] };
    expect(() => page(failed)).toThrow('a.test.ts: "1" has not passed');
  });
});
