/** Pages with measurements, which scripts of this repository have written. */
export interface MeasuredPages {
  /** docs/benchmarks/comparison.md */
  readonly comparison: string;
  /** docs/benchmarks/size.md */
  readonly size: string;
  /** docs/reliability.md */
  readonly reliability: string;
}

const BEGIN = '<!-- comparison: npm run docs:readme -->\n';
const END = '<!-- end of comparison -->';

/**
 * Writes the comparison between its marks in README.md, with the figures of the measured pages.
 *
 * @throws {Error} if a page no longer has a figure, or README.md no marks
 */
export function withComparison(readme: string, pages: MeasuredPages): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('README.md has no marks of the comparison');
  return `${readme.slice(0, begin + BEGIN.length)}${formatComparison(pages)}${readme.slice(end)}`;
}

function formatComparison({ comparison, size, reliability }: MeasuredPages): string {
  const row = (command: string, plugin: string) =>
    cellsOf(comparison, 'docs/benchmarks/comparison.md', command, plugin);
  const [add, del] = ['ADD', 'DEL'].map((command) => ({ podwire: row(command, 'podwire'), ptp: row(command, 'ptp') }));
  const measured = (fault: string) => cellsOf(reliability, 'docs/reliability.md', fault)[2] ?? '';
  const executable = cellsOf(size, 'docs/benchmarks/size.md', '**the executable**')[1]?.replaceAll('*', '') ?? '';
  const unknown = 'not measured';
  const rows = [
    ['', 'podwire', 'Calico’s plugin', 'ptp with host-local'],
    ['workload endpoints for Calico’s agent', 'yes', 'yes', 'no'],
    ['ADD, one at a time, p50 [1]', add?.podwire[2], unknown, add?.ptp[2]],
    ['DEL, one at a time, p50 [1]', del?.podwire[2], unknown, del?.ptp[2]],
    ['peak memory of an ADD [1]', add?.podwire[8], unknown, add?.ptp[8]],
    [
      'API requests of ADD, and of DEL [1]',
      `${add?.podwire[9]}, ${del?.podwire[9]}`,
      unknown,
      `${add?.ptp[9]}, ${del?.ptp[9]}`,
    ],
    ['the executable, x64 [2]', executable, unknown, unknown],
    [
      'DEL while the API server fails',
      `link and lease are removed: ${measured('the API server refuses, on DEL')} [3]`,
      'is an error, and removes nothing [4]',
      'uses no API',
    ],
    [
      'killed in the middle of an ADD',
      `cleaned up later: ${measured('SIGKILL before a system call of ADD |')} [3]`,
      unknown,
      unknown,
    ],
    ['CHECK', 'reports every difference', 'prints OK, and checks nothing [4]', 'yes [5]'],
    ['STATUS, GC', 'yes, yes', 'no, no [4]', 'yes, no [5]'],
  ];
  const [head = [], ...body] = rows;
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** The cells of the first row of a table that begins with these cells; the last of them may be incomplete. */
function cellsOf(page: string, path: string, ...first: readonly string[]): readonly string[] {
  for (const line of page.split('\n').filter((text) => text.startsWith('|'))) {
    const text = line.replaceAll(/ *\| */g, '|').slice(1);
    if (text.startsWith(first.map((cell) => cell.replaceAll(' |', '|')).join('|'))) {
      return text.split('|').map((cell) => cell.trim());
    }
  }
  throw new Error(`${path} has no row that begins with ${first.join(' | ')}`);
}
