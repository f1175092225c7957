import { describe, expect, it } from 'vitest';
import { CLUSTER_FINDINGS } from '../../src/diagnosis/cluster-findings.ts';
import { arrange, diagnose } from '../../src/diagnosis/diagnose.ts';
import { FINDINGS, isKnownFinding } from '../../src/diagnosis/finding-table.ts';
import { found, passed, skipped, type Finding } from '../../src/diagnosis/finding.ts';
import { nodeFacts } from '../support/builders/node-facts.ts';

const shape = (...findings: readonly Finding[]) =>
  arrange(findings).causes.map(({ finding, consequences }) => [
    finding.number,
    ...consequences.map(({ number }) => number),
  ]);
const NUMBERS_OF_CLUSTERS = Object.keys(CLUSTER_FINDINGS);
const failed = (number: Finding['number']) => found(number, 'failed', '');
const warning = (number: Finding['number']) => found(number, 'warning', '');

it('a healthy node has no finding, and every check is made', () => {
  const { causes, passed: fine, skipped: left } = diagnose(nodeFacts());
  expect(causes).toEqual([]);
  const numbers = new Set<string>([...fine, ...left].map(({ number }) => number));
  expect(Object.keys(FINDINGS).filter((number) => !numbers.has(number))).toEqual([
    'PW604',
    'PW803',
    ...NUMBERS_OF_CLUSTERS,
  ]);
});

describe('arrange', () => {
  it('lists what a cause explains below it', () =>
    expect(shape(failed('PW401'), failed('PW602'), failed('PW402'))).toEqual([['PW402', 'PW401', 'PW602']]));
  it('of what a consequence explains, too', () =>
    expect(shape(failed('PW204'), failed('PW202'), failed('PW301'))).toEqual([['PW204', 'PW202', 'PW301']]));
  it('lists unrelated causes beside each other, the worse first', () =>
    expect(shape(warning('PW106'), failed('PW501'), failed('PW103'), warning('PW305'))).toEqual([
      ['PW103'],
      ['PW501'],
      ['PW305'],
      ['PW106'],
    ]));
  it('a warning because of which something fails already is a failure', () =>
    expect(arrange([warning('PW308'), failed('PW602')]).causes[0]?.finding.outcome).toBe('failed'));
  it('every finding is listed once', () => {
    const all = Object.keys(FINDINGS).filter(isKnownFinding).map(failed);
    expect(
      shape(...all)
        .flat()
        .toSorted(),
    ).toEqual(Object.keys(FINDINGS).toSorted());
  });
  it('passed and skipped checks are apart', () =>
    expect(arrange([passed('PW201', ''), skipped('PW101', '')])).toMatchObject({
      causes: [],
      passed: [{ number: 'PW201' }],
      skipped: [{ number: 'PW101' }],
    }));
});
