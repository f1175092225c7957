import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseFileResults } from '../../../scripts/versions/file-results.ts';
import { formatVersions, type VersionFacts } from '../../../scripts/versions/page.ts';
import { partnerTests } from '../../../scripts/versions/partners.ts';
import { moduleVersion } from '../../../scripts/versions/read-version.ts';
import { completeResults, parseSpecReport, parseStoredSpecs } from '../../../scripts/versions/spec-report.ts';

const facts = (overrides: Partial<VersionFacts> = {}): VersionFacts => ({
  partners: [
    { what: 'kube-apiserver', version: '1.36.3', test: 'test/a.test.ts' },
    { what: 'CoreDNS', version: '1.14.2', test: 'specs' },
  ],
  files: new Map([['test/a.test.ts', { passed: 3, failed: 0 }]]),
  specs: [{ name: 'DNS should work', group: 'conformance', state: 'passed', failure: '' }],
  calicoTest: 'test/calico.test.ts',
  ...overrides,
});
/** The cells of a line, without blanks. */
const cells = (page: string, start: string) =>
  page
    .split('\n')
    .find((line) => line.startsWith(`| ${start}`))
    ?.split('|')
    .map((cell) => cell.trim());

describe('docs/versions.md', () => {
  it('has the version of each program, and how its tests ended', () => {
    const page = formatVersions(facts());
    expect(cells(page, 'kube-apiserver')).toEqual(['', 'kube-apiserver', '1.36.3', '3 passed', '`test/a.test.ts`', '']);
    expect(cells(page, 'CoreDNS')?.slice(1, 4)).toEqual(['CoreDNS', '1.14.2', '1 passed']);
  });

  it('says of a program without results that it was not run', () => {
    const page = formatVersions(facts({ files: new Map(), specs: [] }));
    expect(cells(page, 'kube-apiserver')?.[3]).toBe('not run');
    expect(cells(page, 'CoreDNS')?.[3]).toBe('not run');
  });

  it('names failed tests and specs', () => {
    const failed = {
      name: 'DNS should fail',
      group: 'conformance',
      state: 'failed',
      failure: 'timed out\nmore',
    } as const;
    const page = formatVersions(
      facts({ files: new Map([['test/a.test.ts', { passed: 3, failed: 1 }]]), specs: [failed] }),
    );
    expect(cells(page, 'kube-apiserver')?.[3]).toBe('3 passed, 1 failed');
    expect(cells(page, 'conformance')).toEqual(['', 'conformance', '1', '0', '1', '0', '']);
    expect(page).toContain('- DNS should fail: timed out\n');
  });

  it('names only tests that exist', () =>
    expect(partnerTests().filter((path) => !existsSync(join(import.meta.dirname, '../../..', path)))).toEqual([]));
});

describe('what it is made from', () => {
  const report = JSON.stringify([
    {
      SpecReports: [
        {
          LeafNodeType: 'It',
          State: 'passed',
          ContainerHierarchyTexts: ['[sig-network] DNS'],
          LeafNodeText: 'should work',
        },
        { LeafNodeType: 'It', State: 'skipped', LeafNodeText: 'not selected' },
        { LeafNodeType: 'BeforeSuite', State: 'passed', LeafNodeText: '' },
        {
          LeafNodeType: 'It',
          State: 'timedout',
          ContainerHierarchyTexts: ['[sig-network] Netpol', 'NetworkPolicy'],
          LeafNodeText: 'should deny',
          Failure: { Message: 'too late' },
        },
      ],
    },
  ]);

  it('the report of ginkgo: every spec that was run, and nothing else', () => {
    const specs = parseSpecReport(report);
    expect(specs).toEqual([
      { name: 'DNS should work', group: 'conformance', state: 'passed', failure: '' },
      { name: 'Netpol NetworkPolicy should deny', group: 'network policy', state: 'failed', failure: 'too late' },
    ]);
    expect(parseStoredSpecs(JSON.stringify(specs))).toEqual(specs);
  });

  it('a run that was cut short: what it did not reach is not run', () => {
    const selected = parseSpecReport(report);
    expect(completeResults(selected, selected.slice(1)).map(({ state }) => state)).toEqual(['not run', 'failed']);
    const interrupted = parseSpecReport(report.replace('timedout', 'interrupted'));
    expect(interrupted.map(({ state }) => state)).toEqual(['passed', 'not run']);
  });

  it('the report of vitest: the tests of each file; a skipped one counts as failed', () => {
    const json = JSON.stringify({
      testResults: [{ name: '/r/a.test.ts', assertionResults: [{ status: 'passed' }, { status: 'skipped' }] }],
    });
    expect([...parseFileResults(json, (path) => path.slice(3))]).toEqual([['a.test.ts', { passed: 1, failed: 1 }]]);
  });

  it.each([
    ['dep\tgithub.com/a/b\tv1.2.3\th1:x', 'v1.2.3'],
    ['dep\tgithub.com/a/b\tv0.0.0\n\t=>\tgithub.com/c/b\tv1.2.4\th1:x', 'v1.2.4'],
    ['dep\tgithub.com/a/other\tv1.2.3', undefined],
  ])('the modules of a program: %j', (text, version) =>
    expect(
      moduleVersion(`prog: go1.26\n\tpath\tx\n\tmod\tpodwire/test/tools\t(devel)\n\t${text}`, 'github.com/a/b'),
    ).toBe(version),
  );
});
