import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, REPOSITORY } from './tracked-pages.ts';

const PAGE = readPage('docs/troubleshooting.md');
// Messages of other programs, which the page quotes as well.
const FOREIGN = /^(no IP addresses available in range set|Network plugin returns error: .*)$/;

// The words of all sources in their order, without the values that messages contain.
const SOURCES = ` ${globSync('src/**/*.ts', { cwd: REPOSITORY })
  .map((path) => wordsOf(readFileSync(join(REPOSITORY, path), 'utf8').replaceAll(/\$\{[^}]*\}/g, ' ')).join(' '))
  .join(' ')} `;

describe('the page about troubleshooting', () => {
  it('quotes messages as podwire prints them', () => {
    const headings = [...PAGE.matchAll(/^####? (.*)$/gm)].map(([, heading = '']) => heading);
    const paragraphs = [...PAGE.matchAll(/^`[^`]+`: .*$|^`[^`]+` is a warning/gm)].map(
      ([text]) => text.split('`: ')[0] ?? '',
    );
    const quoted = [...headings, ...paragraphs.map((text) => `${text}\``)]
      .flatMap((text) => [...text.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message))
      .filter((message) => !FOREIGN.test(message));
    expect(quoted.length).toBeGreaterThan(30);
    expect(quoted.filter((message) => foundPart(message) < 0.5)).toEqual([]);
  });
});

/** The part of a message's sequences of three words that the sources contain. Names and numbers in it are examples. */
function foundPart(message: string): number {
  const sequences = message.split('…').flatMap((fragment) => {
    const words = wordsOf(fragment);
    return words.slice(2).map((word, index) => ` ${words[index]} ${words[index + 1]} ${word} `);
  });
  if (sequences.length === 0) return 1;
  return sequences.filter((sequence) => SOURCES.includes(sequence)).length / sequences.length;
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[A-Za-z]+/g) ?? [];
}
