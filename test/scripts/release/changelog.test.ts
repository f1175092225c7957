import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseChangelog, releaseNotes } from '../../../scripts/release/changelog.ts';
import { PODWIRE_VERSION } from '../../../src/version.ts';

const CHANGELOG = readFileSync(join(import.meta.dirname, '../../../CHANGELOG.md'), 'utf8');
const RELEASED = '# Changes\n\n## 1.1.0 - 2026-02-01\n\n- b\n\n## 1.0.0 - 2026-01-01\n\n- a\n';

describe('CHANGELOG.md', () => {
  const sections = parseChangelog(CHANGELOG);
  const released = sections.filter(({ version }) => version !== undefined);

  it('has a date for each release, and the version of package.json is the newest', () =>
    expect(released[0]?.version).toBe(PODWIRE_VERSION));

  it('is in the order of the dates, and what is unreleased comes first', () => {
    const dates = released.map(({ date = '' }) => date);
    expect(dates).toEqual(dates.toSorted().toReversed());
    expect(sections.slice(1).every(({ version }) => version !== undefined)).toBe(true);
  });

  it('says of each section after the first release what to do before and after an upgrade', () => {
    const changed = sections.slice(0, -1).filter(({ text }) => text !== '');
    for (const { text } of changed) expect(text).toMatch(/^### Upgrade$[^]*^Before: [^]*^After: /m);
  });
});

describe('the notes of a release', () => {
  it('are its section', () => expect(releaseNotes(RELEASED, '1.1.0')).toBe('- b\n'));

  const refuses = (why: string, text: string, message: string) =>
    it(`are refused ${why}`, () => expect(() => releaseNotes(text, '1.1.0')).toThrow(message));
  refuses('without a section', '## 1.0.0 - 2026-01-01\n', 'has no section for 1.1.0');
  refuses('while something is unreleased', `## Unreleased\n\n- c\n\n${RELEASED}`, 'has unreleased changes');
  refuses('if a release has no date', '## 1.1.0\n', 'expected "## X.Y.Z - YYYY-MM-DD", got "## 1.1.0"');
});
