import { describe, expect, it } from 'vitest';
import { withComparison } from '../../../scripts/readme/comparison-table.ts';
import { readPage } from '../../docs/tracked-pages.ts';

const PAGES = {
  comparison: readPage('docs/benchmarks/comparison.md'),
  size: readPage('docs/benchmarks/size.md'),
  reliability: readPage('docs/reliability.md'),
};

describe('the comparison of README.md', () => {
  it('has the figures of the measured pages; if not, run npm run docs:readme', () =>
    expect(readPage('README.md')).toBe(withComparison(readPage('README.md'), PAGES)));

  it('has the figures of the right rows', () => {
    const table = withComparison('<!-- comparison: npm run docs:readme -->\n<!-- end of comparison -->', {
      comparison:
        '| ADD | ptp | 1 ms | a | b | c | d | e | 2 MB | 0 |\n| ADD | podwire | 3 ms | a | b | c | d | e | 4 MB | 5 |\n| DEL | ptp | 6 ms | a | b | c | d | e | 7 MB | 0 |\n| DEL | podwire | 8 ms | a | b | c | d | e | 9 MB | 10 |\n',
      size: '| **the executable** | **11 MB** | **12 MB** |\n',
      reliability:
        '| the API server refuses, on DEL; and more | goes | 13 faults | t |\n| SIGKILL before a system call of ADD | left | 14 kills | t |\n',
    });
    expect(table).toContain('| ADD, one at a time, p50 [1] | 3 ms | not measured | 1 ms |');
    expect(table).toContain('| DEL, one at a time, p50 [1] | 8 ms | not measured | 6 ms |');
    expect(table).toContain('| peak memory of an ADD [1] | 4 MB | not measured | 2 MB |');
    expect(table).toContain('| API requests of ADD, and of DEL [1] | 5, 10 | not measured | 0, 0 |');
    expect(table).toContain('| the executable, x64 [2] | 11 MB |');
    expect(table).toContain('removed: 13 faults [3]');
    expect(table).toContain('later: 14 kills [3]');
  });

  it('is not written without a figure', () =>
    expect(() => withComparison(readPage('README.md'), { ...PAGES, size: '' })).toThrow(
      'docs/benchmarks/size.md has no row that begins with **the executable**',
    ));
});
