import { describe, expect, it } from 'vitest';
import { readPage, trackedPages } from './tracked-pages.ts';

const INDEX = readPage('docs/README.md');

describe('the manual', () => {
  it('lists every page for administrators and about measurements', () => {
    const pages = trackedPages().flatMap(({ path }) => /^docs\/((?:benchmarks\/)?[\w-]+\.md)$/.exec(path)?.[1] ?? []);
    expect(pages.filter((page) => page !== 'README.md' && !INDEX.includes(`](${page})`))).toEqual([]);
    expect(pages.length).toBeGreaterThan(10);
  });
});
