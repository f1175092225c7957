import { describe, expect, it } from 'vitest';
import { readPage, trackedPages } from './tracked-pages.ts';

const INDEX = readPage('docs/README.md');

describe('the manual', () => {
  it('lists every page for administrators and about measurements', () => {
    const pages = trackedPages().flatMap(({ path }) => /^docs\/((?:benchmarks\/)?[\w-]+\.md)$/.exec(path)?.[1] ?? []);
    expect(pages.filter((page) => page !== 'README.md' && !INDEX.includes(`](${page})`))).toEqual([]);
    expect(pages.length).toBeGreaterThan(10);
  });

  it('numbers its pages in order', () => {
    const numbers = [...INDEX.matchAll(/^(\d+)\. \[/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});
