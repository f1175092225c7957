import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, REPOSITORY } from './tracked-pages.ts';

const FOLDER = 'docs/decisions';
const RECORDS = readdirSync(join(REPOSITORY, FOLDER)).filter((name) => /^\d{4}-/.test(name));
const INDEX = readPage(`${FOLDER}/README.md`);

describe('the index of decisions', () => {
  it('lists every record by number and title, in order, and nothing else', () => {
    const listed = [...INDEX.matchAll(/^\| \[(\d{4})\]\(([^)]+)\) \| (.+?) \| \d{4}-\d{2}-\d{2} \|/gm)].map((row) =>
      row.slice(1, 4),
    );
    expect(listed).toEqual(RECORDS.toSorted().map((name) => [name.slice(0, 4), name, titleOf(name)]));
  });

  it('gives each record a status that names only records that exist', () => {
    const statuses = [...INDEX.matchAll(/^\| \[\d{4}\].*\| ([^|]+) \|$/gm)].map(([, status = '']) => status);
    const numbers = RECORDS.map((name) => name.slice(0, 4));
    const isKnown = (status: string) =>
      status === 'accepted' || numbers.includes(/^superseded by (\d{4})$/.exec(status)?.[1] ?? '');
    expect(statuses).toHaveLength(RECORDS.length);
    expect(statuses.filter((status) => !isKnown(status))).toEqual([]);
  });
});

function titleOf(name: string): string | undefined {
  return /^# \d+\. (.+)$/m.exec(readPage(`${FOLDER}/${name}`))?.[1];
}
