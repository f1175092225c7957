import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FINDINGS, findDescription, isKnownFinding } from '../../src/diagnosis/finding-table.ts';
import { readPage, REPOSITORY } from '../docs/tracked-pages.ts';

const NUMBERS = Object.keys(FINDINGS);

it('a number of the table has a description, another one has none', () => {
  expect(findDescription('PW401')?.title).toBe('The token is refused');
  expect([findDescription('PW999'), isKnownFinding('toString')]).toEqual([undefined, false]);
});

it('every number that a message or a check uses is in the table', () => {
  const used = globSync('src/**/*.ts', { cwd: REPOSITORY }).flatMap((path) => [
    ...readFileSync(join(REPOSITORY, path), 'utf8').matchAll(/'(PW\d+)'/g),
  ]);
  expect(used.length).toBeGreaterThan(NUMBERS.length);
  expect(used.map(([, number = '']) => number).filter((number) => !isKnownFinding(number))).toEqual([]);
});

it('every number is used outside the table', () => {
  const others = globSync('src/**/*.ts', { cwd: REPOSITORY })
    .filter((path) => !path.endsWith('-findings.ts'))
    .map((path) => readFileSync(join(REPOSITORY, path), 'utf8'))
    .join('\n');
  expect(NUMBERS.filter((number) => !others.includes(`'${number}'`))).toEqual([]);
});

it('each number is a heading of the page about troubleshooting, in the order of the numbers', () => {
  const headings = [...readPage('docs/troubleshooting.md').matchAll(/^### (PW\d+)$/gm)].map(([, number]) => number);
  expect(headings).toEqual(NUMBERS.toSorted());
});

it('nothing causes itself', () => {
  const causes = Object.entries<{ readonly causes: readonly string[] }>(FINDINGS);
  expect(causes.filter(([number, description]) => description.causes.includes(number))).toEqual([]);
  expect(causes.flatMap(([, description]) => description.causes).filter((number) => !isKnownFinding(number))).toEqual(
    [],
  );
});
