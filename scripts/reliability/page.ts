/** The tests of one file in a report. */
export interface ReliabilityFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly tests: readonly ReliabilityTest[];
}

export interface ReliabilityTest {
  /** The names of the `describe` blocks around it, outermost first. */
  readonly blocks: readonly string[];
  readonly title: string;
  /** What it has recorded: test/support/suite/reliability-figure.ts. */
  readonly figure: { readonly fault: string; readonly promise: string; readonly measured: string } | undefined;
}

/**
 * Parses a report of vitest's json reporter.
 *
 * @throws {Error} if a test in it has not passed
 */
export function parseReliability(json: string, fromRepository: (path: string) => string): readonly ReliabilityFile[] {
  const report: unknown = JSON.parse(json);
  return listIn(report, 'testResults').map((file) => {
    const path = fromRepository(textIn(file, 'name'));
    return { path, tests: listIn(file, 'assertionResults').map((test) => parseTest(test, path)) };
  });
}

function parseTest(test: unknown, path: string): ReliabilityTest {
  const title = textIn(test, 'title');
  if (textIn(test, 'status') !== 'passed') throw new Error(`${path}: "${title}" has not passed`);
  const recorded = memberIn(memberIn(test, 'meta'), 'reliability');
  const figure = {
    fault: textIn(recorded, 'fault'),
    promise: textIn(recorded, 'promise'),
    measured: textIn(recorded, 'measured'),
  };
  return {
    blocks: listIn(test, 'ancestorTitles').filter((block) => typeof block === 'string'),
    title,
    figure: recorded === undefined ? undefined : figure,
  };
}

const HEAD = `# Reliability: promises and measurements

What podwire promises if something fails, and what was measured. All faults are real: they use real namespaces, real IPAM plugins, real processes
that are killed, and a real API server or one on loopback that fails in the way a test requests. A test has counted every figure.
`;

const FOOT = `
[reliability-tests.md](reliability-tests.md) lists all tests of faults. \`npm run reliability\` writes both pages from a run of the tests.
`;

const HEAD_OF_TESTS = `# Tests of faults

What the tests of faults claim, by file; the number of the tests of each claim is in parentheses. Written by \`npm run reliability\`. The figures
are in [reliability.md](reliability.md).
`;

/** The two pages, by their names in docs/. */
export interface ReliabilityPages {
  readonly 'reliability.md': string;
  readonly 'reliability-tests.md': string;
}

/** Formats the page of the figures, and that of the claims with the number of their tests. Equal reports give equal pages. */
export function formatReliability(files: readonly ReliabilityFile[]): ReliabilityPages {
  const sorted = files
    .toSorted((one, other) => (one.path < other.path ? -1 : 1))
    .filter(({ path }) => IN_PAGE.test(path));
  const figures = sorted.flatMap(({ path, tests }) =>
    merged(tests.flatMap(({ figure }) => figure ?? [])).map(({ fault, promise, measured }) => [
      fault,
      promise,
      measured,
      linkTo(path),
    ]),
  );
  const claims = sorted.map(({ path, tests }) => ['', `## ${linkTo(path)}`, '', ...claimsOf(tests)].join('\n'));
  return {
    'reliability.md': [HEAD, formatTable(['fault', 'promise', 'measured', 'test'], figures), FOOT].join('\n'),
    'reliability-tests.md': [HEAD_OF_TESTS.trimEnd(), ...claims, ''].join('\n'),
  };
}

type Figure = NonNullable<ReliabilityTest['figure']>;

/** Merges the figures of one file that have the same promise, if what was measured is a duration or the same. */
function merged(figures: readonly Figure[]): readonly Figure[] {
  const groups = Map.groupBy(figures, ({ promise, measured }) =>
    SECONDS.test(measured) ? promise : measured + promise,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const more = group.length > FAULTS_SHOWN ? `; and ${group.length - FAULTS_SHOWN} more` : '';
    const faults = group.slice(0, FAULTS_SHOWN).map(({ fault }) => fault);
    const maxSeconds = Math.max(...group.map(({ measured }) => Number.parseFloat(measured)));
    const measured = SECONDS.test(first.measured) ? `${group.length} faults, at most ${maxSeconds} s` : first.measured;
    return [{ fault: `${faults.join('; ')}${more}`, promise: first.promise, measured }];
  });
}

const SECONDS = /^[0-9.]+ s$/;
const FAULTS_SHOWN = 4;

/** The tests that are about faults. The others are about features. */
const IN_PAGE =
  /^test\/(commands|end-to-end)\/(faults\/|[^/]*(check|status|gc|journal|reboot|kill|fault|storm|soak|bad-|secrets|properties|node-limits)[^/]*$)/;

const CASES_SHOWN = 6;

function claimsOf(tests: readonly ReliabilityTest[]): readonly string[] {
  const blocks = Map.groupBy(tests, ({ blocks: names }) => names.join(' '));
  return [...blocks].flatMap(([block, inBlock]) => {
    const titles = inBlock.map(({ title }) => escapeCell(withoutSeed(title)));
    const shown = titles.slice(0, CASES_SHOWN);
    const more = titles.length - shown.length;
    const lines = [...shown, ...(more > 0 ? [`and ${more} more`] : [])];
    return block === ''
      ? lines.map((line) => `- ${line}`)
      : [`- ${escapeCell(block)} (${titles.length})`, ...lines.map((line) => `  - ${line}`)];
  });
}

// The seed differs in each run.
function withoutSeed(text: string): string {
  return text.replace(/ \(seed \d+\)/, '');
}

function linkTo(path: string): string {
  return `[${path.replace(/^test\//, '').replace(/(\.kernel)?\.test\.ts$/, '')}](../${path})`;
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll(/[|<>]/g, (character) => `\\${character}`).replaceAll(/\s+/g, ' ');
}

function memberIn(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const found = memberIn(value, key);
  return Array.isArray(found) ? found : [];
}

function textIn(value: unknown, key: string): string {
  const found = memberIn(value, key);
  return typeof found === 'string' ? found : '';
}
